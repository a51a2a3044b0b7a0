// Entry module of the worker threads that check signatures. It chooses its implementations as the node did.
import { workerData } from 'node:worker_threads';
import { initialiseKeccak } from '../core/crypto/keccak.ts';
import { selectCrypto } from './native/select-crypto.ts';
import { runTask } from './signature-verifier-tasks.ts';
import { serveTasks } from './worker-pool.ts';

const { disableNative } = workerData as { readonly disableNative: boolean };
const crypto = selectCrypto({ disableNative });
void initialiseKeccak(); // The portable form answers until it is ready.
serveTasks((task) => runTask(crypto, task));
