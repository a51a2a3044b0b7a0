// JSON-RPC over HTTP and WebSocket on one port. This file only carries text: what it means is dispatch.ts's.
//
// Anyone may send anything, so everything has a bound: body, frame, batch, connections, unanswered requests and untaken news of a
// connection, the bytes of all requests together, and the time to send a request. CORS is open: there are no cookies and no keys that a page could misuse.
import { randomBytes } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import websocket, { type WebSocket } from '@fastify/websocket';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type BudgetPair, createBudgetPair } from './budget.ts';
import { Connection } from './connection.ts';
import { createDispatcher, type Dispatcher, type FaultObserver, type RequestObserver } from './dispatch.ts';
import { invalidRequest, limitExceeded, type RpcError } from './errors.ts';
import { WITHOUT_SCHEMAS } from './http-server-options.ts';
import { budgetOf, PartialFrame } from './inbound-bytes.ts';
import { DEFAULT_RPC_LIMITS, type RpcLimits } from './limits.ts';
import type { RpcPorts } from './ports.ts';

/** What a server is made of. */
export interface RpcServerOptions {
  readonly ports: RpcPorts;
  /** Address to bind, such as 127.0.0.1. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits?: Partial<RpcLimits>;
  readonly onRequest?: RequestObserver;
  readonly onFault?: FaultObserver;
}

/** A server that listens. */
export interface RpcServer {
  readonly port: number;
  readonly url: string;
  /** The same methods without a socket. */
  readonly dispatcher: Dispatcher;
  readonly connectionCount: () => number;
  readonly close: () => Promise<void>;
}

interface Liveness {
  hasAnswered: boolean;
}

const JSON_TYPE = 'application/json';
/** Requests of one HTTP connection under way at once, beyond which nothing more is read of it. */
const PIPELINED_MAX = 4;
/** A client that takes longer to send one request is cut off. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A client that has not taken an answer by then is cut off: what waits for it is memory. */
const ANSWER_TIMEOUT_MS = 30_000;
/** A WebSocket client that does not answer a ping until the next one is gone. */
const HEARTBEAT_MS = 30_000;
const BODY_TOO_LARGE = 413;
const CORS_MAX_AGE_SECONDS = 86_400;
/** WebSocket close codes (RFC 6455, 7.4.1): try again later, policy violation. */
const CLOSE_TRY_LATER = 1013;
const CLOSE_TOO_SLOW = 1008;

/** Starts to listen; rejects with the system's error, such as EADDRINUSE, when it cannot. */
export async function createRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const limits: RpcLimits = { ...DEFAULT_RPC_LIMITS, ...options.limits };
  const dispatcher = createDispatcher({ ...options, limits, newId: randomId });
  const connections = new Map<WebSocket, Liveness>();
  const inbound = createBudgetPair(limits.inboundBytesMax);
  const app = fastify({
    ...WITHOUT_SCHEMAS,
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  });
  app.server.maxConnections = limits.connectionsMax;
  await app.register(websocket, { options: { maxPayload: limits.bodyBytesMax, perMessageDeflate: false } });
  addHttp(app, dispatcher, limits, inbound);
  app.route({
    method: 'GET',
    url: '/',
    handler: (_request, reply) => reply.code(405).header('allow', 'POST').type('text/plain').send('JSON-RPC: POST, or WebSocket\n'),
    wsHandler: (socket, request) => {
      countPartialFrames(socket, request, inbound);
      serveSocket(socket, { dispatcher, limits, inbound, connections });
    },
  });
  await app.listen({ host: options.host, port: options.port });
  const heartbeat = setInterval(() => pingAll(connections), HEARTBEAT_MS);
  const { port } = app.server.address() as AddressInfo;
  return {
    port,
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    dispatcher,
    connectionCount: () => connections.size,
    close: async () => {
      clearInterval(heartbeat);
      dispatcher.close();
      for (const socket of connections.keys()) socket.terminate();
      await app.close();
    },
  };
}

function addHttp(app: FastifyInstance, dispatcher: Dispatcher, limits: RpcLimits, inbound: BudgetPair): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const pipelines = new WeakMap<Socket, { underWay: number }>();
  app.addHook('onRequest', (request, reply, done) => {
    countPipelined(pipelines, request, reply);
    reply.header('access-control-allow-origin', '*');
    if (takeBody(request, reply, limits, inbound)) done();
    else
      reply
        .code(503)
        .headers({ connection: 'close', 'retry-after': '1' })
        .type(JSON_TYPE)
        .send(errorText(limitExceeded('the node is busy: too many requests are not answered yet')));
  });
  app.options('/', (_request, reply) =>
    reply
      .code(204)
      .header('access-control-allow-methods', 'POST, GET, OPTIONS')
      .header('access-control-allow-headers', 'content-type, authorization')
      .header('access-control-max-age', CORS_MAX_AGE_SECONDS)
      .send(),
  );
  app.post('/', async (request: FastifyRequest, reply: FastifyReply) => {
    const { socket } = request.raw;
    const answer = await dispatcher.handleText(typeof request.body === 'string' ? request.body : '', undefined, () => socket.destroyed);
    if (answer === undefined) return reply.code(204).send();
    const cutOff = setTimeout(() => request.raw.socket.destroy(), ANSWER_TIMEOUT_MS);
    const end = (): void => {
      clearTimeout(cutOff);
      answer.release();
    };
    if (reply.raw.destroyed) end();
    else reply.raw.once('close', end);
    return reply.type(JSON_TYPE).send(answer.text);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('JSON-RPC is at /\n'));
  app.setErrorHandler((error: { readonly statusCode?: number; readonly message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const problem = status === BODY_TOO_LARGE ? `body too large: at most ${limits.bodyBytesMax} bytes` : error.message;
    return reply
      .code(status)
      .type(JSON_TYPE)
      .send(errorText(invalidRequest(problem)));
  });
}

// A client may send further requests before it has the answer to the first; it waits with what goes beyond a few, as everybody else does.
function countPipelined(pipelines: WeakMap<Socket, { underWay: number }>, { raw: { socket } }: FastifyRequest, reply: FastifyReply): void {
  const pipeline = pipelines.get(socket) ?? { underWay: 0 };
  pipelines.set(socket, pipeline);
  pipeline.underWay++;
  if (pipeline.underWay > PIPELINED_MAX) socket.pause();
  reply.raw.once('close', () => {
    pipeline.underWay--;
    if (pipeline.underWay <= PIPELINED_MAX && socket.isPaused()) socket.resume();
  });
}

// Counts a body, before it comes, until its answer is gone. One of unknown length counts as the longest.
function takeBody({ headers }: FastifyRequest, reply: FastifyReply, limits: RpcLimits, inbound: BudgetPair): boolean {
  const declared = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : limits.bodyBytesMax;
  const bytes = Math.min(declared, limits.bodyBytesMax);
  const budget = budgetOf(inbound, bytes);
  if (!budget.take(bytes)) return false;
  reply.raw.once('close', () => budget.give(bytes));
  return true;
}

// The library keeps a frame's parts until it is whole.
function countPartialFrames(socket: WebSocket, { raw }: FastifyRequest, inbound: BudgetPair): void {
  const partial = new PartialFrame(inbound);
  raw.socket.on('data', (chunk: Buffer) => {
    if (!partial.add(chunk.length)) socket.terminate();
  });
  for (const event of ['message', 'ping', 'pong', 'close']) socket.on(event, () => partial.end());
}

interface SocketService {
  readonly dispatcher: Dispatcher;
  readonly limits: RpcLimits;
  readonly inbound: BudgetPair;
  readonly connections: Map<WebSocket, Liveness>;
}

function serveSocket(socket: WebSocket, { dispatcher, limits, inbound, connections }: SocketService): void {
  let unanswered = 0;
  const send = (text: string, taken: () => void = () => undefined) => {
    if (socket.readyState !== socket.OPEN) return taken();
    if (socket.bufferedAmount <= limits.connectionBufferedBytesMax) return socket.send(text, taken);
    socket.close(CLOSE_TOO_SLOW, 'too slow');
    taken();
  };
  const connection = new Connection(send, randomId, limits.subscriptionsPerConnectionMax, () =>
    socket.close(CLOSE_TOO_SLOW, 'news are lost'),
  );
  const liveness: Liveness = { hasAnswered: true };
  connections.set(socket, liveness);
  socket.on('pong', () => {
    liveness.hasAnswered = true;
  });
  socket.on('close', () => {
    connections.delete(socket);
    connection.close();
  });
  // An oversized or malformed frame: the library closes the connection with the fitting code.
  socket.on('error', () => {});
  socket.on('message', (frame: Buffer) => {
    if (unanswered >= limits.connectionPendingRequestsMax) {
      send(errorText(limitExceeded('too many unanswered requests')));
      socket.close(CLOSE_TRY_LATER, 'too many unanswered requests');
      return;
    }
    const budget = budgetOf(inbound, frame.length);
    if (!budget.take(frame.length)) {
      send(errorText(limitExceeded('the node is busy: too many requests are not answered yet')));
      return;
    }
    unanswered += 1;
    const isGone = (): boolean => socket.readyState !== socket.OPEN;
    void dispatcher.handleText(frame.toString('utf8'), connection, isGone).then((answer) => {
      unanswered -= 1;
      budget.give(frame.length);
      if (answer === undefined) return;
      send(answer.text, answer.release);
      for (const result of answer.results) connection.release(result);
    });
  });
}

// Ends the connections whose client is gone without a word, so that they do not use up the bound.
function pingAll(connections: ReadonlyMap<WebSocket, Liveness>): void {
  for (const [socket, liveness] of connections) {
    if (!liveness.hasAnswered) socket.terminate();
    liveness.hasAnswered = false;
    socket.ping();
  }
}

function errorText({ code, message }: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } });
}

// 16 random bytes as a quantity: nobody can guess another's filter.
function randomId(): string {
  return `0x${BigInt(`0x${randomBytes(16).toString('hex')}`).toString(16)}`;
}
