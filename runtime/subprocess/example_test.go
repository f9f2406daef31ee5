package subprocess_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"github.com/weft-go/weft/runtime/subprocess"
)

func Example() {
	runtimetest.Example(func() {
		c := subprocess.Command("tr", "a-z", "A-Z")
		c.Stdin = strings.NewReader("hello")
		out, err := c.Output() // parks this task; the thread runs others
		fmt.Printf("%s %v\n", out, err)
	})
	// Output:
	// HELLO <nil>
}

func ExampleCmd_Run() {
	runtimetest.Example(func() {
		fmt.Println(subprocess.Command("true").Run())
		err := subprocess.Command("sh", "-c", "exit 3").Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			fmt.Println("exit status", exit.ExitCode())
		}
		fmt.Println(errors.Is(subprocess.Command("no-such-program").Run(), exec.ErrNotFound))
	})
	// Output:
	// <nil>
	// exit status 3
	// true
}

func ExampleCmd_CombinedOutput() {
	runtimetest.Example(func() {
		out, err := subprocess.Command("sh", "-c", "echo out; echo err >&2").CombinedOutput()
		fmt.Printf("%s%v\n", out, err)
	})
	// Output:
	// out
	// err
	// <nil>
}

// A conversation with a process by its pipes.
func ExampleProcess() {
	runtimetest.Example(func() {
		c := subprocess.Command("cat")
		c.Stdin, c.Stdout = subprocess.Pipe, subprocess.Pipe
		p, err := c.Start()
		if err != nil {
			fmt.Println(err)
			return
		}
		defer p.Close()
		answers := bufio.NewScanner(p.Stdout)
		for _, word := range []string{"one", "two"} {
			fmt.Fprintln(p.Stdin, word)
			answers.Scan()
			fmt.Println(answers.Text())
		}
		_ = p.Stdin.Close() // its end of file
		fmt.Println(p.Wait())
	})
	// Output:
	// one
	// two
	// <nil>
}

func ExampleProcess_Communicate() {
	runtimetest.Example(func() {
		c := subprocess.Command("sort")
		c.Stdin, c.Stdout = subprocess.Pipe, subprocess.Pipe
		p, err := c.Start()
		if err != nil {
			fmt.Println(err)
			return
		}
		out, _, err := p.Communicate([]byte("b\nc\na\n"))
		fmt.Printf("%s%v\n", out, err)
	})
	// Output:
	// a
	// b
	// c
	// <nil>
}

// The end of a wait leaves the process alone. Here it is killed then.
func ExampleProcess_WaitUntil() {
	runtimetest.Example(func() {
		c := subprocess.Command("sleep", "1000")
		c.Group = true
		p, err := c.Start()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p.WaitUntil(runtime.Now().Add(time.Millisecond)))
		_, ended := p.ExitCode()
		fmt.Println(ended)
		_ = p.KillGroup()
		fmt.Println(p.Wait())
		fmt.Println(p.ExitCode())
	})
	// Output:
	// runtime: timeout
	// false
	// signal: killed
	// -9 true
}

func ExampleCommandContext() {
	runtimetest.Example(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		fmt.Println(subprocess.CommandContext(ctx, "sleep", "1000").Run())
	})
	// Output:
	// context deadline exceeded
}

func ExampleStdio() {
	runtimetest.Example(func() {
		c := subprocess.Command("sh", "-c", "echo out; echo err >&2")
		c.Stdin = subprocess.Null
		c.Stdout = subprocess.Pipe
		c.Stderr = subprocess.Merge
		p, err := c.Start()
		if err != nil {
			fmt.Println(err)
			return
		}
		out, _, err := p.Communicate(nil)
		fmt.Printf("%s%v\n", out, err)
	})
	// Output:
	// out
	// err
	// <nil>
}

func ExampleStream() {
	runtimetest.Example(func() {
		c := subprocess.Command("cat")
		c.Stdin, c.Stdout = subprocess.Pipe, subprocess.Pipe
		p, err := c.Start()
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = p.Stdout.SetDeadline(time.Now().Add(time.Millisecond))
		_, err = p.Stdout.Read(make([]byte, 1)) // it says nothing
		fmt.Println(err)
		_ = p.Close()
		fmt.Println(p.Wait())
	})
	// Output:
	// read stdout: i/o timeout
	// <nil>
}
