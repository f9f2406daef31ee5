package runtimetest

import (
	"context"
	"fmt"
	"os"
	"testing"

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
	if after := Descriptors(); after > before && code == 0 {
		fmt.Fprintf(os.Stderr, "left behind: %d descriptors, was %d\n", after, before)
		code = 1
	}
	os.Exit(code)
}
