/** The tour's steps: what the figure shows first, and where it goes on. What is said there is in prose.json. */

import type { Screen } from '../lib/route.svelte';
import type { View } from './view';

export type Name =
  | 'sees' | 'content' | 'pairs' | 'shuffle' | 'layers' | 'quiet' | 'downhill' | 'passes' | 'pulls' | 'knobs' | 'yours';

export interface Chapter {
  name: Name;
  title: string;
  question: string; // what the step answers, above the title
  opens: Partial<View>;
  onward: { screen: Screen; says: string };
}

export const CHAPTERS: readonly Chapter[] = [
  {
    name: 'sees',
    question: 'What does the computer see?',
    title: 'From edges to things',
    opens: { layer: 'relu1_1', picture: 'photograph' },
    onward: { screen: 'xray', says: 'Look at every layer in X-ray' },
  },
  {
    name: 'content',
    question: 'Where is the content?',
    title: 'Deep down, without the pixels',
    opens: { layer: 'relu3_1', made: 'last' },
    onward: { screen: 'xray', says: 'Rebuild the photograph from other layers in X-ray' },
  },
  {
    name: 'pairs',
    question: 'What is style?',
    title: 'What comes together',
    opens: { layer: 'relu3_1', picture: 'painting', pair: 'wanted' },
    onward: { screen: 'lab', says: 'Leave a pair out and paint again, in the Style lab' },
  },
  {
    name: 'shuffle',
    question: 'Where is the style?',
    title: 'Style has no where',
    opens: { layer: 'relu3_1', shuffled: false },
    onward: { screen: 'lab', says: 'Shuffle other layers in the Style lab' },
  },
  {
    name: 'layers',
    question: 'Why take style from many layers?',
    title: 'Small strokes, large swirls',
    opens: { layer: 'relu3_1', together: false },
    onward: { screen: 'xray', says: 'See the texture of every layer in X-ray' },
  },
  {
    name: 'quiet',
    question: 'What is total variation?',
    title: 'A little quiet, please',
    opens: { picture: 'result', grain: 0 },
    onward: { screen: 'paint', says: 'Turn the smoothness up while it paints, in Paint' },
  },
  {
    name: 'downhill',
    question: 'What does the optimiser do?',
    title: 'Downhill, one step at a time',
    opens: { frame: 'last' },
    onward: { screen: 'paint', says: 'Watch every step in Paint' },
  },
  {
    name: 'passes',
    question: 'What happens in one step?',
    title: 'There and back',
    opens: { frame: 'last', pass: 'forward' },
    onward: { screen: 'paint', says: 'See losses and gradients move in Paint' },
  },
  {
    name: 'pulls',
    question: 'Why is this pixel as it is?',
    title: 'Who pulls here?',
    opens: { frame: 'last', place: 'fight' },
    onward: { screen: 'paint', says: 'Point at your own picture in Paint' },
  },
  {
    name: 'knobs',
    question: 'What does each knob do?',
    title: 'Changing the teams',
    opens: { frame: 'last', weights: [1, 1] },
    onward: { screen: 'paint', says: 'Turn the knobs while it paints' },
  },
  {
    name: 'yours',
    question: 'And now?',
    title: 'Now yours',
    opens: {},
    onward: { screen: 'start', says: 'Choose your own pictures' },
  },
];
