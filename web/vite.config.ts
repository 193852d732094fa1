import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The pages are served from the root of the studio's own server, without Node and without any other host. Two scripts:
// the frame with the first screen, and all other screens, which come when one of them is asked for. One script each for
// them would be a tenth larger in all: what they share compresses together.
const FRAME = /node_modules.svelte|src.(main|lib|start|shell)|components.(Picture|Progress|Notice|Dialog)|App\.svelte|Start\.svelte/;

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../src/gramarye/studio/static',
    emptyOutDir: true,
    target: ['chrome125', 'firefox128', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the content policy allows no data: scripts or styles
    cssCodeSplit: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: {
        codeSplitting: {
          groups: [
            { name: 'frame', test: FRAME, priority: 2 },
            { name: 'screens', test: /src/, priority: 1 },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8765' } },
});
