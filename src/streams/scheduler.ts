/**
 * Which stream sends next (SPEC 8).
 *
 * @module
 */

/** Classes in the order of service; retransmissions go before all new data. */
export const CLASS_RETRANSMIT = 0;
export const CLASS_HIGH = 1;
export const CLASS_NORMAL = 2;
export const CLASS_LOW = 3;
const CLASSES = 4;

const PRIORITY_HIGH = 667;
const PRIORITY_LOW = 333;

/**
 * SPEC 8: a lower class gets at least 1 of 16 packets. Three classes may come due at once and are then
 * served one after the other, so each is due after 13 packets of others.
 */
const STARVED_AFTER = 13;

/** The class of a priority from 0 to 1000. */
export function classOf(priority: number): number {
  if (priority >= PRIORITY_HIGH) return CLASS_HIGH;
  return priority <= PRIORITY_LOW ? CLASS_LOW : CLASS_NORMAL;
}

/** A stream's place in at most one queue. */
export class ReadyNode<T> {
  readonly owner: T;
  /** Class in which to queue; change it with {@link Scheduler.reclassify}. */
  class: number;
  queue: ReadyQueue<T> | undefined = undefined;
  previous: ReadyNode<T> | undefined = undefined;
  next: ReadyNode<T> | undefined = undefined;
  /** Bytes sent in this turn. */
  spent: number = 0;

  constructor(owner: T, initialClass: number) {
    this.owner = owner;
    this.class = initialClass;
  }
}

/** A doubly linked list: any stream leaves it at once, without a search. */
export class ReadyQueue<T> {
  head: ReadyNode<T> | undefined = undefined;
  #tail: ReadyNode<T> | undefined = undefined;

  push(node: ReadyNode<T>): void {
    node.queue = this;
    node.previous = this.#tail;
    if (this.#tail === undefined) this.head = node;
    else this.#tail.next = node;
    this.#tail = node;
  }

  remove(node: ReadyNode<T>): void {
    if (node.previous === undefined) this.head = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.#tail = node.previous;
    else node.next.previous = node.previous;
    node.queue = undefined;
    node.previous = undefined;
    node.next = undefined;
  }
}

/** Strict classes with a floor for the lower ones; inside a class, turns of one frame's bytes. */
export class Scheduler<T> {
  /** Made when the first stream has something to send: an idle session has none. */
  #queues: readonly ReadyQueue<T>[] | undefined;
  readonly #waited: number[] = [0, 0, 0, 0];
  /** Streams that wait for the session's credit. */
  readonly #held: ReadyQueue<T> = new ReadyQueue();

  /** Puts a node at the end of its class; does nothing when it is queued or held already. */
  add(node: ReadyNode<T>): void {
    if (node.queue !== undefined) return;
    node.spent = 0;
    this.#queues ??= [new ReadyQueue(), new ReadyQueue(), new ReadyQueue(), new ReadyQueue()];
    this.#queues[node.class]!.push(node);
  }

  remove(node: ReadyNode<T>): void {
    node.queue?.remove(node);
  }

  reclassify(node: ReadyNode<T>, newClass: number): void {
    if (node.class === newClass) return;
    node.class = newClass;
    if (node.queue === undefined || node.queue === this.#held) return;
    this.remove(node);
    this.add(node);
  }

  /** Sets a node aside until `release`. */
  hold(node: ReadyNode<T>): void {
    this.remove(node);
    this.#held.push(node);
  }

  /** Queues everything that was held. */
  release(): void {
    for (let node = this.#held.head; node !== undefined; node = this.#held.head) {
      this.remove(node);
      this.add(node);
    }
  }

  /** The node whose turn it is; it stays queued. */
  next(): ReadyNode<T> | undefined {
    const queues = this.#queues;
    if (queues === undefined) return undefined;
    for (let index = 1; index < CLASSES; index++) {
      const node = queues[index]!.head;
      if (node !== undefined && this.#waited[index]! >= STARVED_AFTER) return node;
    }
    for (let index = 0; index < CLASSES; index++) {
      const node = queues[index]!.head;
      if (node !== undefined) return node;
    }
    return undefined;
  }

  /** Counts a packet of `bytes` for the node; after `turn` bytes the next of its class is up. */
  sent(node: ReadyNode<T>, bytes: number, turn: number): void {
    for (let index = 1; index < CLASSES; index++) {
      const waits = index !== node.class && this.#queues?.[index]?.head !== undefined;
      this.#waited[index] = waits ? this.#waited[index]! + 1 : 0;
    }
    node.spent += bytes;
    if (node.spent < turn) return;
    node.spent -= turn;
    const queue = node.queue;
    if (queue === undefined || node.next === undefined) return;
    queue.remove(node);
    queue.push(node);
  }
}
