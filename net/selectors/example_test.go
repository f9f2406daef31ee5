package selectors_test

import (
	"fmt"
	"os"

	"github.com/weft-go/weft/net/selectors"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func ExampleSelector() {
	runtimetest.Example(func() {
		s, err := selectors.New[string]()
		if err != nil {
			fmt.Println(err)
			return
		}
		defer s.Close()
		r, w, err := os.Pipe()
		if err != nil {
			fmt.Println(err)
			return
		}
		defer r.Close()
		defer w.Close()
		_, _ = s.Register(r, selectors.Read, "the reading end")
		_, _ = s.Register(w, selectors.Write, "the writing end")
		ready, err := s.Select()
		for _, r := range ready {
			fmt.Println(r.Key.Data, r.Events)
		}
		fmt.Println(err)
	})
	// Output:
	// the writing end write
	// <nil>
}
