// Package process runs functions of the program in other processes, and has what those need
// to work together: pipes, queues, pools, shared objects and memory. It is what Python's
// multiprocessing is, in tasks: every wait parks the calling task, or blocks the calling
// goroutine only.
//
//	var count = process.Register("count", func(file string) (int, error) { … })
//
//	func main() {
//		process.Main(func() {
//			pool, err := process.NewPool(4)
//			if err != nil {
//				log.Fatal(err)
//			}
//			totals, err := process.Map(pool, count, files)
//			…
//			pool.Close()
//			_ = pool.Join()
//		})
//	}
//
// # Processes
//
// A process is this program again, executed anew: not a copy of the caller's memory. Its main
// function calls Main, or Init first of all, which there calls the registered function and
// does not return. What main has set up before does not exist in it, what package-level
// variables and init functions set up does.
//
// A child inherits its standard output and error, an empty standard input, and no other
// descriptor. There are no zombies: each child is waited for by its process descriptor, to
// which signals are sent, too, so they never hit another process. A Daemon ends when its parent
// does, however that ends.
//
// # Values
//
// Arguments, results, messages and items are copies. Bytes and strings are sent as they are, so
// are types without pointers and unexported fields, such as int or a struct of numbers: the
// program at the other end is the same. All else is CBOR (github.com/fxamacker/cbor/v2): maps,
// slices, pointers, time.Time, what has MarshalBinary or MarshalText; fields that are not
// exported are left out, as in package json. What can't be encoded, a function say, is an
// *EncodeError of the call that was given it; no other process hears of it.
//
// Errors arrive as *RemoteError with their text; errors.Is finds those that both sides know
// (RegisterError).
//
// # Owners
//
// No lock is ever shared between processes. An object, a queue or lock say, is owned by the
// process where it was made: the calling one (Here), or one that does nothing else (a Manager).
// It serves the others, each over a connection of its own, so it notices when one of them has
// died, and takes back what that held:
//
//   - the next holder of its lock gets ErrAbandoned, once, with the lock;
//   - items of a queue that it had not taken yet go to others;
//   - its job in a Pool fails with a *WorkerDiedError, and the others go on;
//   - a Barrier at which it waited breaks.
//
// When an owner ends, calls on its objects return ErrGone. A handle of an object is its address,
// and may be sent to any process by whatever way; it connects when it is first used. Only
// processes of the same user can connect. Objects last until Close, or as long as their owner.
//
// A Service is an object of one's own making.
//
// Pipe ends are no handles. Each belongs to one process and moves when it is sent, so that the
// end of file comes as soon as that process closes it, or ends. A File, a listener say, goes to
// another process and stays here, too.
//
// # Order
//
// What one process says to another arrives in order. Close, Join and Len of a queue come after
// all that any process has put before.
//
// # Limits
//
// Linux 5.4 or later. A function that blocks its thread, by a Go channel or lock, holds up the
// worker on which it runs, as everywhere in Weft: see runtime.Offload. It matters most in a
// worker of a Pool, which uses its part of the processors, one often.
//
// A message that was sent may not have been received: only an answer tells.
package process
