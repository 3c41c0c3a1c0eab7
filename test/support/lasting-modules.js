/**
 * Jest's runtime, which keeps what it did for a library from one test file of a process to the next: the text that it read, and the
 * code that V8 compiled. Each file still evaluates every module anew. Not for files of the project, whose coverage V8 counts in
 * what it compiled for one file.
 */
import vm from 'node:vm';
import Runtime from 'jest-runtime';

const { SourceTextModule, compileFunction } = vm;

const texts = new Map();
const transformed = new Map();
const compiledModules = new Map();
const compiledScripts = new Map();
/** Scripts of this test file, whose code is kept at its end: by then V8 has compiled the functions that were called. */
const scripts = new Map();

function isLibrary(path) {
  return path.includes('/node_modules/');
}

/** What Jest has read, by path. */
class Texts extends Map {
  get(path) {
    return texts.get(path) ?? super.get(path);
  }

  has(path) {
    return texts.has(path) || super.has(path);
  }

  set(path, text) {
    if (isLibrary(path)) {
      texts.set(path, text);
      return this;
    }
    return super.set(path, text);
  }
}

vm.SourceTextModule = class extends SourceTextModule {
  constructor(code, options) {
    const { identifier } = options;
    const cachedData = compiledModules.get(identifier);
    super(code, { ...options, ...(cachedData && { cachedData }) });
    // Node refuses it once the module is evaluated.
    if (!cachedData && isLibrary(identifier)) {
      compiledModules.set(identifier, this.createCachedData());
    }
  }
};

/** A script is the same function with code that can be taken after it ran. */
vm.compileFunction = (code, parameters, { filename, importModuleDynamically, parsingContext }) => {
  if (!isLibrary(filename)) {
    return compileFunction(code, parameters, { filename, importModuleDynamically, parsingContext });
  }
  const head = `(function (${parameters.join(', ')}) {`;
  const cachedData = compiledScripts.get(filename);
  const script = new vm.Script(`${head}${code}\n})`, {
    filename,
    columnOffset: -head.length,
    importModuleDynamically,
    ...(cachedData && { cachedData }),
  });
  if (!cachedData) {
    scripts.set(filename, script);
  }
  return script.runInContext(parsingContext);
};

export default class LastingModules extends Runtime {
  constructor(config, environment, resolver, transformer, read, ...rest) {
    const transform = transformer.transform.bind(transformer);
    transformer.transform = (path, ...how) => {
      const known = transformed.get(path);
      const result = known ?? transform(path, ...how);
      if (!known && isLibrary(path) && !transformer.shouldTransform(path)) {
        transformed.set(path, result);
      }
      return result;
    };
    super(config, environment, resolver, transformer, new Texts(read), ...rest);
  }

  teardown() {
    scripts.forEach((script, path) => compiledScripts.set(path, script.createCachedData()));
    scripts.clear();
    super.teardown();
  }
}
