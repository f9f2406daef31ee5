// Package pool has sets of tasks, and bounds on how many run at once.
//
//	p := pool.New(10)
//	sizes, err := pool.Map(p, slices.Values(urls), func(url string) (int64, error) {
//		return fetch(url) // ten at a time
//	})
//
// A [Group] is a set of tasks that are joined and killed together. A [Pool] is a
// Group with a number of slots: starting a task waits for a free one. [Map],
// [IMap] and [IMapUnordered] call a function for each element of a sequence, in
// tasks of either; [Apply] and [ApplyAsync] call one once.
//
// # Slots
//
// A task gives its slot back when it has ended, however it did: by return, by a
// panic, by a kill before or after its start. The slot goes to the one who has
// waited longest for it, and nobody overtakes those that wait.
//
// # Where the tasks run
//
// On the worker of the task that starts them, as with runtime.Spawn: then they
// and their parent never run at the same instant. With PlaceBy they run
// elsewhere: p.PlaceBy(runtime.SpawnBalanced) spreads them over the workers.
//
// Everything here may be called from any task or goroutine, which then blocks
// that goroutine only.
//
// # Limits
//
// A task of a full pool that waits for another slot of it, in Spawn or Map, waits
// for ever if all do so. Apply calls the function directly then.
package pool
