// A live result set for Solid: `import { createQuery } from "taiinet/solid"`.

import { createEffect, createMemo, createSignal, onCleanup, type Accessor } from "solid-js";
import type { Fields, LiveOptions, LiveSnapshot, Query, TaiiNet } from "./index.js";
import { liveSource } from "./live.js";

/** The documents that match, in an order, kept true while the owner lives. Query and options are functions, and followed
 *  when what they read changes; without a query there is nothing to show. */
export function createQuery<T extends object = Fields>(
  taiinet: TaiiNet,
  query: () => Query<T> | undefined,
  options?: () => LiveOptions<T> | undefined,
): Accessor<LiveSnapshot<T>> {
  const live = createMemo(() => liveSource<T>(taiinet, query(), options?.()));
  const [version, tell] = createSignal(0);
  createEffect(() => onCleanup(live().subscribe(() => tell((before) => before + 1))));
  return createMemo(() => {
    version();
    return live().getSnapshot();
  });
}
