// A live result set for Vue: `import { useQuery } from "taiinet/vue"`.

import { computed, shallowRef, toValue, watchEffect, type ComputedRef, type MaybeRefOrGetter } from "vue";
import type { Fields, LiveOptions, LiveSnapshot, Query, TaiiNet } from "./index.js";
import { liveSource } from "./live.js";

/** The documents that match, in an order, kept true while the component (or effect scope) lives. Query and options may
 *  be refs or getters; without a query there is nothing to show. */
export function useQuery<T extends object = Fields>(
  taiinet: TaiiNet,
  query: MaybeRefOrGetter<Query<T> | undefined>,
  options?: MaybeRefOrGetter<LiveOptions<T> | undefined>,
): ComputedRef<LiveSnapshot<T>> {
  const live = computed(() => liveSource<T>(taiinet, toValue(query), toValue(options)));
  const version = shallowRef(0);
  let told = 0;
  watchEffect((onCleanup) => onCleanup(live.value.subscribe(() => (version.value = told += 1))));
  return computed(() => {
    void version.value;
    return live.value.getSnapshot();
  });
}
