import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [preact()],
  build: {
    // The page's policy allows no inline script, style or font: every asset is a file of its own.
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: { input: ['index.html', 'console.html'] },
  },
  server: { proxy: { '/api': 'http://localhost:8000' } },
});
