import { Global, Module } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { FileStore } from './file-store.js';
import { LocalFileStore } from './local-file-store.js';

/** `FileStore` for every role. `UnfinishedFileSweeper` is an edge of those that store files. */
@Global()
@Module({
  providers: [
    {
      provide: FileStore,
      inject: [AppConfig],
      useFactory: async ({ storage: { path, s3 } }: AppConfig): Promise<FileStore> => {
        if (s3 === null) {
          return new LocalFileStore(path);
        }
        // A process that stores files on its disk neither loads nor holds the SDK.
        const { S3FileStore } = await import('./s3-file-store.js');
        return new S3FileStore(s3, { spoolFolder: path });
      },
    },
  ],
  exports: [FileStore],
})
export class StorageModule {}
