package event_test

import (
	"fmt"
	goruntime "runtime"
	"sync"
	"testing"

	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// step is what two parties tell each other once, by a Result each.
type step struct{ there, back event.Result[*step] }

// channels is a step by the closing of channels.
type channels struct {
	there, back chan struct{}
	next        *channels // set before there is closed
}

func newChannels() *channels { return &channels{make(chan struct{}), make(chan struct{}), nil} }

// BenchmarkPingPong is two parties that wait for each other in every step: by
// Events that are cleared, by a new Result each time, which brings the next, and,
// as goroutines do it, by closing a new channel each time. "locked" are goroutines
// on two threads, as the two workers are.
func BenchmarkPingPong(b *testing.B) {
	for _, procs := range []int{1, 2} {
		name := fmt.Sprintf("workers=%d/", procs)
		b.Run(name+"Event/weft", func(b *testing.B) {
			var there, back event.Event
			runtimetest.BenchTwo(b, procs, func() {
				for range b.N {
					there.Set()
					_ = back.Wait()
					back.Clear()
				}
			}, func() {
				for range b.N {
					_ = there.Wait()
					there.Clear()
					back.Set()
				}
			})
		})
		b.Run(name+"Result/weft", func(b *testing.B) {
			start := new(step)
			runtimetest.BenchTwo(b, procs, func() {
				at := start
				for range b.N {
					next := new(step)
					at.there.Set(next)
					_, _ = at.back.Get()
					at = next
				}
			}, func() {
				at := start
				for range b.N {
					next, _ := at.there.Get()
					at.back.Set(nil)
					at = next
				}
			})
		})
		closing := func(b *testing.B, lock, unlock func()) {
			defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(procs))
			b.ReportAllocs()
			start := newChannels()
			var wg sync.WaitGroup
			wg.Go(func() {
				lock()
				defer unlock()
				at := start
				for range b.N {
					at.next = newChannels()
					close(at.there)
					<-at.back
					at = at.next
				}
			})
			wg.Go(func() {
				lock()
				defer unlock()
				at := start
				for range b.N {
					<-at.there
					next := at.next
					close(at.back)
					at = next
				}
			})
			wg.Wait()
		}
		b.Run(name+"Result/channel", func(b *testing.B) { closing(b, func() {}, func() {}) })
		if procs > 1 {
			b.Run(name+"Result/locked", func(b *testing.B) { closing(b, goruntime.LockOSThread, goruntime.UnlockOSThread) })
		}
	}
}
