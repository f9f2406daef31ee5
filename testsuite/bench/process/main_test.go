package main

import (
	"os"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
)

func TestMain(m *testing.M) {
	process.Init()
	os.Exit(m.Run())
}

// TestRows makes each measurement once, in small.
func TestRows(t *testing.T) {
	err := runtime.Default().Run(func() error {
		for _, r := range rows {
			rate, err := r.measure(50)
			if err != nil || rate <= 0 {
				t.Errorf("%s: %v, %v", r.name, rate, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
