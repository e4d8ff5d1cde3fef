import { env } from 'cloudflare:workers';
import { describeBlobs } from '../../../test/contract/blobs.ts';
import { createR2Blobs, type R2Bucket } from './r2-blobs.ts';

describeBlobs('R2', async () => createR2Blobs(env.BLOBS as R2Bucket));
