// Manager has ten processes write to a dict and a list that a process of their own, the
// manager, holds for all.
package main

import (
	"fmt"
	"log"
	"slices"

	"github.com/weft-go/weft/runtime/process"
)

type board struct {
	Squares *process.Dict[int, int]
	Names   *process.List[string]
	Number  int
}

var write = process.Register("write", func(b board) (int, error) {
	if err := b.Squares.Set(b.Number, b.Number*b.Number); err != nil {
		return 0, err
	}
	return 0, b.Names.Append(process.Current().Name)
})

func main() {
	process.Main(func() {
		m, err := process.StartManager()
		check(err)
		squares, err := process.NewDict[int, int](m)
		check(err)
		names, err := process.NewList[string](m)
		check(err)
		var all []*process.Running[int]
		for n := range 10 {
			p, err := process.Start(write, board{squares, names, n}, process.Named(fmt.Sprintf("writer %d", n)))
			check(err)
			all = append(all, p)
		}
		for _, p := range all {
			_, err := p.Result()
			check(err)
		}
		for n := range 10 {
			square, err := squares.Get(n)
			check(err)
			fmt.Print(n, ":", square, " ")
		}
		fmt.Println()
		written, err := names.All()
		check(err)
		slices.Sort(written) // they came in the order of the processes' luck
		fmt.Println(len(written), "names, from", written[0], "to", written[9])
		check(m.Shutdown())
	})
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
