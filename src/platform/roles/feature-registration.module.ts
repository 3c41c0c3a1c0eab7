import { type DynamicModule, Module, type Type } from '@nestjs/common';

/** Takes what features declare, while the application is built. */
export interface FeatureRegistry<D> {
  /** @throws when a name is taken. */
  register(declared: D): void;
}

/** The module behind every `forFeature`: it passes a declaration to a registry of the platform. */
@Module({})
export class FeatureRegistrationModule {
  static with<D>(registry: Type<FeatureRegistry<D>>, declared: D): DynamicModule {
    const useFactory = (target: FeatureRegistry<D>): D => {
      target.register(declared);
      return declared;
    };
    return {
      module: FeatureRegistrationModule,
      providers: [{ provide: Symbol(registry.name), inject: [registry], useFactory }],
    };
  }
}
