/** The tour's steps: what is said, what the figure shows first, what is asked, and where it goes on. */

import type { Screen } from '../lib/route.svelte';
import type { Facts } from './facts';
import type { View } from './view';

export type Name =
  | 'sees' | 'content' | 'pairs' | 'shuffle' | 'layers' | 'quiet' | 'downhill' | 'passes' | 'pulls' | 'knobs' | 'yours';

export interface Chapter {
  name: Name;
  title: string;
  question: string; // what the step answers, above the title
  says: (facts: Facts) => string[]; // paragraphs, marked up as markup.ts has it
  opens: Partial<View>;
  asks?: { question: string; answer: (facts: Facts) => string };
  onward: { screen: Screen; says: string };
}

export const CHAPTERS: readonly Chapter[] = [
  {
    name: 'sees',
    question: 'What does the computer see?',
    title: 'From edges to things',
    says: (facts) => [
      `VGG-19 is a network that learned to name what is in photographs: a dog, a teapot, a guitar. We do not need its answers. We borrow its eyes${facts.lite ? ', in a small copy that was trained to see as it sees' : ''}.`,
      `It looks in [[layer|layers]], one after another. A layer has many [[channel|channels]]. Each searches the whole picture for one kind of thing and draws a map of where it found it. In the [first layer](layer=relu1_1&picture=photograph) these are edges and colours. A few layers on, [corners, curves and textures](layer=relu3_1). In the [deepest](layer=relu5_1) they are large and particular: what tells a dog from a teapot. (relu3_1 is the first layer of the third block, of five.)`,
      `Point at a map, or at the photograph. The frame there is all that one unit can see, its [[receptive field]]. It grows from ${facts.field('relu1_1')} to ${facts.field('relu5_1')} pixels. Then look at [the painting](picture=painting) with the same eyes.`,
    ],
    opens: { layer: 'relu1_1', picture: 'photograph' },
    asks: {
      question: 'Why do the maps become coarser from layer to layer?',
      answer: (facts) =>
        `After each block the network halves its maps. It keeps what was found and forgets exactly where. In relu5_1 one number stands for a square of ${facts.stride('relu5_1')} × ${facts.stride('relu5_1')} pixels, and it was worked out from ${facts.field('relu5_1')} × ${facts.field('relu5_1')}.`,
    },
    onward: { screen: 'xray', says: 'Look at every layer in X-ray' },
  },
  {
    name: 'content',
    question: 'Where is the content?',
    title: 'Deep down, without the pixels',
    says: (facts) => [
      'How much of the photograph does a layer remember? Start [from noise](made=first) and change the pixels until this one layer cannot tell the picture from the photograph. Nothing else is asked. [What comes back](made=last) is what the layer knows.',
      'From the [first layer](layer=relu1_1), nearly every pixel. From [the third block](layer=relu3_1), the shapes, while the finest texture begins to go. From the [deepest](layer=relu5_1), roughly what is where; the exact colours and textures are anyone’s guess.',
      `That is just what a painter wants to keep: {content:what is where}, and not every pixel. So this painting asks for the content of ${facts.contentLayers}, and leaves the rest free for the brush.`,
    ],
    opens: { layer: 'relu3_1', made: 'last' },
    asks: {
      question: 'The first layer remembers best. Why not take the content from there?',
      answer: () =>
        'Because it remembers too well. It would hold every pixel in its place, and no room would be left for a single brush stroke.',
    },
    onward: { screen: 'xray', says: 'Rebuild the photograph from other layers in X-ray' },
  },
  {
    name: 'pairs',
    question: 'What is style?',
    title: 'What comes together',
    says: () => [
      'Think of a painter with a habit: wherever there is a curl, it is dark blue. The habit says much about how she paints and nothing about what she paints.',
      'The network can count such habits. Take two channels, multiply their maps place by place, and add it all up. The sum is large if both fire in the same places. Do so for every two channels and you have a table, the [[Gram matrix]]. One square of it is one habit.',
      'Here is [the one that this painting has and the photograph lacks most](pair=wanted): two maps, their product, and the places in the painting where they meet. You could call it {style:one kind of brush stroke}. To paint in this style is to make the [photograph’s table](picture=photograph) like [the painting’s](picture=painting). [The result’s](picture=result) shows how far that went. Click any square.',
    ],
    opens: { layer: 'relu3_1', picture: 'painting', pair: 'wanted' },
    asks: {
      question: 'Why multiply two channels? Is it not enough to know how strong each one is?',
      answer: () =>
        'Two paintings may hold equally many curls and equally much blue. In one the curls are blue; in the other the sky is blue and the curls are red. Only the products tell them apart. How strong each channel is alone stands on the diagonal.',
    },
    onward: { screen: 'lab', says: 'Leave a pair out and paint again, in the Style lab' },
  },
  {
    name: 'shuffle',
    question: 'Where is the style?',
    title: 'Style has no where',
    says: () => [
      'Each number in the table is a sum over all places. A sum does not mind the order: 2 + 3 + 5 is 5 + 2 + 3. So let us [shuffle all places](seed=next) of this layer like a deck of cards. Each place keeps what all channels say there; only its position changes.',
      'The table stays as it was, but for rounding in the last digits. So the {style:style} term notices nothing. To the {content:content} term it is another picture altogether: nothing is where it was. [Put it back](shuffled=0), and [shuffle again](seed=next).',
      'That is the secret of the whole method. {style:Style is what goes together}, wherever that may be. {content:Content is what is where}. Since style has no where, a painting’s strokes can settle in your photograph.',
      'Now cut the photograph itself into [tiles of 32 pixels](tile=32), or of [8](tile=8), and let the network look anew. The cuts make edges that were not there, so this time the style moves a little too.',
    ],
    opens: { layer: 'relu3_1', shuffled: false },
    asks: {
      question: 'A jigsaw puzzle, finished, and the same pieces in their box. Which of the two has the style?',
      answer: () =>
        'Both, very nearly. The box has the same colours and the same strokes, only not in their places. Nearly, because pieces that do not belong together make new edges where they touch.',
    },
    onward: { screen: 'lab', says: 'Shuffle other layers in the Style lab' },
  },
  {
    name: 'layers',
    question: 'Why take style from many layers?',
    title: 'Small strokes, large swirls',
    says: (facts) => [
      `A table describes patterns only as large as its units can see: ${facts.field('relu1_1')} pixels in relu1_1, ${facts.field('relu5_1')} in relu5_1. To see what a table holds, make a picture from noise that has the painting’s table, and nothing else.`,
      'From the [first layer alone](layer=relu1_1&together=0) come colours and grain. From [the third block alone](layer=relu3_1&together=0), strokes and small motifs. From the [deepest alone](layer=relu5_1&together=0), large forms; the fine grain is not its business.',
      'Ask for [all of them together](layer=relu5_1&together=1) and it begins to look like the painting, cut up and put together by someone who never saw the whole. That is what {style:style} means here.',
    ],
    opens: { layer: 'relu3_1', together: false },
    asks: {
      question: 'The deepest layer sees farthest. Would it not do alone?',
      answer: () =>
        'It sees far and coarsely. We compared textures made from one, from some and from all of five layers, by layers that none was made from. On average the one from all five was nearest for 16 of 16 pictures with VGG-19, and for 15 of 16 with its small copy. Not because it is best in each layer, but because no other is good in all.',
    },
    onward: { screen: 'xray', says: 'See the texture of every layer in X-ray' },
  },
  {
    name: 'quiet',
    question: 'What is total variation?',
    title: 'A little quiet, please',
    says: (facts) => [
      'An optimiser likes to hide speckle in a picture: it pleases a number, and no eye. So one more term is added, [[total variation]]. It counts how much each pixel differs from its neighbours. The map shows where.',
      'Strew [a little grain](grain=0.5) over the picture and the number leaps. [Blur it](grain=-0.5) and the number falls, and so does everything you liked. [As it was](grain=0), most of it sits in edges and strokes.',
      facts.smoothness || facts.chroma
        ? `So ask for little: this painting has a weight of ${facts.smoothness} for all differences and ${facts.chroma} for differences in colour alone, against coloured speckle.`
        : 'So one asks for little. This painting asks for none.',
    ],
    opens: { picture: 'result', grain: 0 },
    asks: {
      question: 'Which has more total variation, a plain wall or a meadow?',
      answer: () =>
        'The meadow. Total variation cannot tell blades of grass from noise. That is why its weight is small: it is to quiet the picture, not to mow it.',
    },
    onward: { screen: 'paint', says: 'Turn the smoothness up while it paints, in Paint' },
  },
  {
    name: 'downhill',
    question: 'What does the optimiser do?',
    title: 'Downhill, one step at a time',
    says: (facts) => [
      'Nobody draws a stroke. The computer takes [a first picture](frame=first) and asks: how wrong is it, and how should each pixel change to make it less wrong? All pixels move a little. Then it asks again.',
      'How wrong it is, is one number, the [[loss]]: what {content:content} is missing, what {style:style} is missing, and the roughness, each times its weight, added up. Move the slider and watch the picture and the curves together, from the start over [half way](frame=half) to [the end](frame=last).',
      `In letters: x ← x − η·∇L. The picture x goes against the slope ∇L by a step η. ${facts.optimiser === 'L-BFGS' ? 'L-BFGS, which painted this, also remembers its last few steps and guesses from them how the hill bends.' : `${facts.optimiser} painted this.`}${facts.scales > 1 ? ' Where the curves jump, the picture became larger: it is painted small first, then finer.' : ''}`,
    ],
    opens: { frame: 'last' },
    asks: {
      question: 'Is the picture with the lowest loss the most beautiful?',
      answer: () =>
        'No. Low means: near to what was asked, with these weights. It does not say that the right thing was asked. And losses with other weights or layers measure other things, so they cannot be compared. Use your eyes, or the scores in Studies.',
    },
    onward: { screen: 'paint', says: 'Watch every step in Paint' },
  },
  {
    name: 'passes',
    question: 'What happens in one step?',
    title: 'There and back',
    says: (facts) => [
      `Every step is a journey. There: the picture goes through the layers one by one, down to ${facts.deepest}, and at each layer that was asked about the network notes how far off it is. That is the [forward pass](pass=forward). The bars are what each adds to the loss.`,
      'And back: from each term the computer works out how the layer above it should change, then the one above that, until it arrives at the pixels. That is the [backward pass](pass=backward). What arrives is the [[gradient]]: for each pixel, which way and how hard. The bars then are how hard each term pulls in all.',
      'When the network was trained, its weights were changed in this way. Here the network stays as it is, and the {content:picture} is what learns. Compare [the beginning](frame=first) with [the end](frame=last).',
    ],
    opens: { frame: 'last', pass: 'forward' },
    asks: {
      question: 'How long is the way back?',
      answer: () =>
        'About as long as the way there. In training it is about twice as long, since the network’s own weights need a gradient as well.',
    },
    onward: { screen: 'paint', says: 'See losses and gradients move in Paint' },
  },
  {
    name: 'pulls',
    question: 'Why is this pixel as it is?',
    title: 'Who pulls here?',
    says: () => [
      'Point at the picture. At every place all terms pull at once: {content:content} wants the photograph back, and each layer’s {style:style} wants its own strokes. An arrow is as long as the pull is strong. It points right if it goes with content, left if against it.',
      'Look [where content pulls hardest](place=content), [where style does](place=style), and [where they fight](place=fight): there the picture is a compromise.',
      'Now take [the first picture](frame=first), then [the last](frame=last). In the end nobody has stopped pulling. The pulls have come to balance, and the picture rests where nobody wins.',
    ],
    opens: { frame: 'last', place: 'fight' },
    asks: {
      question: 'Everyone pulls, so why does the picture stand still in the end?',
      answer: () =>
        'It is a tug of war between equal teams. Each pulls hard, and the sum is nearly nothing. Only the sum moves a pixel.',
    },
    onward: { screen: 'paint', says: 'Point at your own picture in Paint' },
  },
  {
    name: 'knobs',
    question: 'What does each knob do?',
    title: 'Changing the teams',
    says: () => [
      'Most knobs change who pulls, or how hard. The map shows who pulls harder at each place of this picture: {content:blue} where it is content, {style:orange} where it is the strongest of the style layers.',
      'Give content [twice its weight](content=2&style=1), [four times](content=4&style=1), [eight times](content=8&style=1). Or give [style four times](content=1&style=4) as much, or [put both back](content=1&style=1). The map turns at once, because a pull grows as its weight does. The picture would then move, and the pulls with it: that is what happens in Paint when you turn a knob while it paints.',
    ],
    opens: { frame: 'last', weights: [1, 1] },
    asks: {
      question: 'Is a style weight of 30 much?',
      answer: () =>
        'By itself the number says nothing; it depends on how the terms are measured. Gramarye’s own presets measure a style term relative to where it starts, so that 30 means the same at every size. The formulas of some papers need a million for much the same purpose.',
    },
    onward: { screen: 'paint', says: 'Turn the knobs while it paints' },
  },
  {
    name: 'yours',
    question: 'And now?',
    title: 'Now yours',
    says: () => [
      'You have seen what a network sees. {content:Content is what is where}, and lives deep. {style:Style is what goes together}, wherever, in every layer. A painting is a truce between the two, found by going downhill.',
      'Choose a photograph of your own and a painting you like. When it is painted, take this tour again with it: every figure will be made of your pictures.',
    ],
    opens: {},
    onward: { screen: 'start', says: 'Choose your own pictures' },
  },
];
