// Generators has two generators count in turns: each goes on from where it has yielded.
package main

import (
	"fmt"

	"github.com/weft-go/weft/runtime/greenlet"
)

func main() {
	a, b := count("A", 3), count("B", 3)
	defer a.Close()
	defer b.Close()
	for turn, other := a, b; ; turn, other = other, turn {
		line, err := turn.Next()
		if err != nil {
			fmt.Println("the counting is over:", err == greenlet.ErrDone)
			return
		}
		fmt.Println(line)
	}
}

func count(name string, to int) *greenlet.Generator[string, int] {
	return greenlet.NewGenerator(func(y *greenlet.Yielder[string, int]) error {
		for i := 1; i <= to; i++ {
			y.Yield(fmt.Sprintf("%s counts %d", name, i))
		}
		return nil
	})
}
