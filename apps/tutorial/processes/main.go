// Processes starts a process and shows who is who: another process, whose parent is this one.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/weft-go/weft/runtime/process"
)

// introduce runs in the child. What a child is to run has a name, by which it is found there.
var introduce = process.Register("introduce", func(greeting string) (int, error) {
	fmt.Printf("child: %s from %s, process %d, child of %d\n", greeting, process.Current().Name, os.Getpid(), os.Getppid())
	return os.Getpid(), nil
})

func main() {
	process.Main(func() {
		fmt.Printf("parent: process %d\n", os.Getpid())
		p, err := process.Start(introduce, "hello", process.Named("worker"))
		if err != nil {
			log.Fatal(err)
		}
		pid, err := p.Result() // waits for the end of the child
		if err != nil {
			log.Fatal(err)
		}
		code, _ := p.ExitCode()
		fmt.Printf("parent: the child was process %d; exit status %d\n", pid, code)
		fmt.Println("parent: that is the one I started:", pid == p.PID())
	})
}
