package local_test

import (
	"context"
	goruntime "runtime"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/local"
)

// BenchmarkGet reads a variable. A goroutine's equivalent is a context that is
// handed on, here with its value at the third level.
func BenchmarkGet(b *testing.B) {
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	b.Run("weft", func(b *testing.B) {
		rt, err := runtime.New(runtime.Config{Workers: 1})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = rt.Stop(b.Context()) }()
		err = rt.Run(func() error {
			var v local.Var[int]
			v.Set(1)
			b.ResetTimer()
			for range b.N {
				v.Get()
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	})
	b.Run("context", func(b *testing.B) {
		type key int
		ctx := context.Background()
		for i := range 3 {
			ctx = context.WithValue(ctx, key(i), 1)
		}
		for range b.N {
			_ = ctx.Value(key(0))
		}
	})
}
