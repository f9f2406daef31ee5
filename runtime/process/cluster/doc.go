// Package cluster lets the pools and queues of package process span machines. It is their second
// engine: the types and functions stay those of package process, and what is behind them is NATS
// JetStream, servers that keep each job and item until somebody has acknowledged it.
//
//	c, err := cluster.Open(cluster.Config{URL: "nats://user:password@host1,nats://user:password@host2"})
//
//	pool, err := process.NewPool(4, c.Pool("thumbnails"))     // with four workers here
//	results, err := process.Map(pool, thumbnail, files)
//
//	orders, err := process.NewQueue[Order](c.Queue("orders"), 1000)
//	err = orders.Put(order)
//
// Another machine runs the same program, whose main function there does
//
//	workers, err := c.Work("thumbnails", 0) // as many as there are processors
//	err = workers.Join()
//
// Without a URL Open starts a server in this process, for a trial; Cluster.URL tells other programs of this
// machine how to reach it. For production run three nats-server processes on three machines,
// with JetStream on: each job and item is then with all three, and one of them may fail at any time.
//
// # Jobs
//
// Package process says what the functions of a pool do, and all of it holds, but for this:
//
//   - A job is done at least once. When its worker dies, or is cut off, another one gets it after
//     Config.Lease. Until then the worker says every now and then that it still has it, however long it
//     takes. So there is no *process.WorkerDiedError. A job should do no harm when it is done twice.
//   - The caller sees one result of each, whatever happens.
//   - A job that was given to Config.Attempts workers, all of which died, fails with an *AttemptsError.
//   - A worker gets one job at a time, so a job costs some round trips to the servers; give them
//     some milliseconds of work. Jobs are begun in about the order in which they were given.
//   - Pool.Workers are the processes started here, Pool.Join waits for these. Workers is what Work has
//     started.
//   - Terminate kills the workers that were started here, and asks others to end the jobs of this pool, as
//     Task.Kill does: a job that never waits goes on for nobody.
//   - A pool that is left early, as IMap's loop may be, has jobs not be done that were not begun.
//   - When the process of a pool dies the servers forget its jobs and results after Config.Forget.
//
// # Items
//
// Package process says what the methods of queues do, and all of it holds, but for this:
//
//   - A queue belongs to no process. It is found by its name, and stays until Remove.
//   - Put returns when the servers have the item, also where there is no bound. When it was ended by a
//     deadline or a kill, the item may be put all the same.
//   - An item is its taker's until that has acknowledged it: with its next Get, TryGet or GetInto, with Flush,
//     when the loop of All asks for the next one or ends, or by returning, if it is a task. The taker is a
//     task or a goroutine. A Joinable's item is acknowledged by Done instead: the one that the caller has
//     had for longest, else that which the process has.
//   - Items of a taker that is killed or panics go to others, at once if it is a task; when the process dies,
//     after Config.Lease. So each item is taken at least once, and twice if its taker ended before it had
//     acknowledged it, or a server did. Such items come out of order.
//   - The bound counts items that are not acknowledged. Len counts these, too, but for those that this process
//     has taken.
//   - Get of a closed queue returns queue.ErrClosed when all items are acknowledged: until then one may
//     come back.
//   - Join never returns process.ErrAbandoned: no item gets lost.
//
// # Values
//
// Arguments, results and items are sent as package process has it, but in messages of NATS: one that is
// larger than the servers allow (max_payload, 1 MiB unless they are told otherwise) is not sent, and the error
// is a *SizeError. The programs must be the same on all machines, and so must the processors' byte
// order. Handles of a cluster's queues can be sent to any process, which needs to Open the cluster itself before
// it uses one; workers have done that. Locks and other objects of package process live on one
// machine.
//
// # When servers fail
//
// Who is connected to one that fails goes to another one. Messages are sent again, under the same
// number, until they are acknowledged, for as long as that takes; jobs and items wait meanwhile.
// A cluster needs more than half of its servers; a leader that fails is replaced within ten seconds. Calls that
// ask the servers for something, as Len does, return an error after half a minute without an answer.
//
// # Limits
//
// The NATS client and server run goroutines and timers of their own. No task waits in them: what may block is
// handed to a goroutine, and the task parks.
//
// Whoever can reach the servers with the rights of the program can give it jobs and items: use passwords or
// credentials, TLS, and an account of its own. It needs the subjects weft.>, $JS.API.>, $JS.ACK.> and
// _INBOX.>.
package cluster
