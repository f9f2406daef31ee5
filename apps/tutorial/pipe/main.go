// Pipe is a conversation of two processes: what one sends at a time the other receives at a
// time.
package main

import (
	"fmt"
	"log"
	"strings"

	"github.com/weft-go/weft/runtime/process"
)

// answer runs in the child, until the parent has closed its end.
var answer = process.Register("answer", func(c *process.Conn[string]) (int, error) {
	n := 0
	for question := range c.All() {
		if err := c.Send(strings.ToUpper(question)); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
})

func main() {
	process.Main(func() {
		ours, theirs, err := process.Pipe[string]()
		check(err)
		p, err := process.Start(answer, theirs) // that end moves to the child
		check(err)
		for _, question := range []string{"who is there?", "", "goodbye"} {
			check(ours.Send(question))
			got, err := ours.Recv()
			check(err)
			fmt.Printf("%q is answered by %q\n", question, got)
		}
		check(ours.Close())
		n, err := p.Result()
		check(err)
		fmt.Println("the child has answered", n, "times")
	})
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
