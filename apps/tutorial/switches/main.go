// Switches passes control between two greenlets by hand: nothing runs but what was switched
// to.
package main

import (
	"fmt"

	"github.com/weft-go/weft/runtime/greenlet"
)

func main() {
	var a, b *greenlet.Greenlet[int, int]
	a = greenlet.New(func(int) (int, error) {
		fmt.Println("A1")
		if _, err := greenlet.SwitchTo(a, b, 0); err != nil {
			return 0, err
		}
		fmt.Println("A2")
		return greenlet.SwitchTo(a, b, 0)
	})
	b = greenlet.New(func(int) (int, error) {
		fmt.Println("B1")
		if _, err := greenlet.SwitchTo(b, a, 0); err != nil {
			return 0, err
		}
		fmt.Println("B2")
		return 0, nil // to the parent of b: main
	})
	_, _ = a.Switch(0)
	_ = a.Close() // it has not returned
}
