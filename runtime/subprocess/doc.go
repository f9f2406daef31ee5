// Package subprocess runs commands from tasks, and talks to them, after Python's
// module of that name.
//
//	out, err := subprocess.Command("uname", "-r").Output()
//
//	c := subprocess.Command("sort")
//	c.Stdin, c.Stdout = subprocess.Pipe, subprocess.Pipe
//	p, err := c.Start()
//	...
//	sorted, _, err := p.Communicate([]byte("b\na\n"))
//
// It is shaped like os/exec, which in a task would block the worker. Here whatever
// waits (for the end of the process, for its pipes) parks the task, and only the
// fork goes through Offload. From a goroutine everything works as well, and
// blocks that. It needs Linux 5.4.
//
// # The life of a process
//
// Each process that was started has a task of its own, on the worker of the task that
// started it (a goroutine, if one did), which waits for its end. So there are no
// zombies, whether somebody calls Wait or not; and Runtime.Drain waits for the
// process. If the runtime stops first a goroutine takes over.
//
// A kill or timeout of a task that waits for a process does not harm the process:
// call Kill or Terminate yourself, or give CommandContext a context. The
// exceptions are Run, Output and CombinedOutput, as with Python's run: nobody else
// knows of their process, so it is killed when they are interrupted. A process
// outlives the program unless Cmd.ParentDeath is set.
//
// # Standard streams
//
// Unlike with os/exec a nil stream is inherited, as in Python. Null is the null device, an
// *os.File is passed as it is, Pipe makes a pipe to which the program holds the other end,
// and Merge sends errors where the output goes. Any other reader or writer is
// copied from or to by a task beside the one that called Start; a goroutine, if
// that did. So its methods are called there, and Wait waits until all output has
// been copied. What the process has not read of its input when it ends is left
// in the reader, but for what the pipe held.
//
// A process may leave others behind that hold its pipes open. Then there is no
// end of file: Wait and Communicate would wait for them. Cmd.WaitDelay limits that, and
// KillGroup ends a whole family that was started with Cmd.Group.
//
// No descriptor but the standard streams and Cmd.ExtraFiles is inherited, as long
// as all others are closed on exec, which Weft's and the standard library's are.
package subprocess
