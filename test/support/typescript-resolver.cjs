/**
 * Lets Jest find `./user.ts` where the project imports `./user.js`, as TypeScript does. A name mapper would do so in libraries too, and
 * Jest remembers no path that it found through one.
 */
const RELATIVE = /^(\.{1,2}\/.*)\.js$/;

module.exports = function resolve(specifier, options) {
  const isOfProject = !options.basedir.includes('/node_modules/');
  return options.defaultResolver(isOfProject ? specifier.replace(RELATIVE, '$1') : specifier, options);
};
