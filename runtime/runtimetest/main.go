package runtimetest

import (
	"context"
	"fmt"
	"os"
	goruntime "runtime"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
)

// Main is the TestMain of a package whose tests use the Default runtime, and
// ends the process. It starts that runtime first, so that no test takes its
// descriptors for leaks, stops it after the tests, and fails if that is not
// possible or descriptors are left.
func Main(m *testing.M) {
	before := Descriptors()
	runtime.Default()
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := runtime.Default().Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	after := Descriptors()
	for range 5 { // what the garbage collector closes
		if after <= before {
			break
		}
		goruntime.GC()
		time.Sleep(time.Millisecond)
		after = Descriptors()
	}
	if after > before && code == 0 {
		fmt.Fprintf(os.Stderr, "left behind: %d descriptors, was %d\n", after, before)
		code = 1
	}
	os.Exit(code)
}
