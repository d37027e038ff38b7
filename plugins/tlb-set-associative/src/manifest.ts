export const manifest = 0;
