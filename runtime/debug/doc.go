// Package debug shows what the tasks of a program do: as a list with stacks, as a
// tree of who spawned whom, and over HTTP.
//
//	rt, err := runtime.New(runtime.Config{TraceTasks: true})
//	…
//	http.Handle("/debug/weft/", debug.Handler(rt))
//
// Parents, ages and places of spawning are known with runtime.Config.TraceTasks
// only. Values of task-local variables show if they have a name: local.Named.
//
// # Limits
//
// What is shown is taken piece by piece while the tasks go on: one that goes on
// meanwhile may show the state of before and the stack of after.
//
// The stacks of all goroutines are taken at once, for which Go stops the program,
// about 5 µs per goroutine: half a second with 100,000. Text of more than 64 MB is
// cut off. Tree takes no stacks.
//
// A worker that does not answer is waited for for a second, and then said to be
// held, and by whom. So all this works while a worker is stuck, if the caller is
// not one of its tasks.
package debug
