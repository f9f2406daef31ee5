package pool_test

import (
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// spawners makes each kind of Spawner.
var spawners = map[string]func() pool.Spawner{
	"Group":  func() pool.Spawner { return new(pool.Group) },
	"Pool 1": func() pool.Spawner { return pool.New(1) },
	"Pool 3": func() pool.Spawner { return pool.New(3) },
}

// backwards takes the longer the smaller its element is.
func backwards(i int) (int, error) {
	for range 20 - 2*i {
		runtime.Yield()
	}
	return i * i, nil
}

// collect runs a loop of IMap or IMapUnordered to its end.
func collect(seq iter.Seq2[int, error]) (values []int, errs []error) {
	for v, err := range seq {
		values, errs = append(values, v), append(errs, err)
	}
	return values, errs
}

func TestMapKeepsOrder(t *testing.T) { // D73
	for name, spawner := range spawners {
		t.Run(name, func(t *testing.T) {
			runtimetest.Run(t, 1, func() {
				got, err := pool.Map(spawner(), numbers(6), backwards)
				wantErr(t, "Map", err, nil)
				wantSlice(t, got, 0, 1, 4, 9, 16, 25)
				for _, maxsize := range []int{0, 1, 2, 10} {
					got, errs := collect(pool.IMap(spawner(), maxsize, numbers(6), backwards))
					wantErr(t, "IMap", errors.Join(errs...), nil)
					wantSlice(t, got, 0, 1, 4, 9, 16, 25)
					got, errs = collect(pool.IMapUnordered(spawner(), maxsize, numbers(6), backwards))
					wantErr(t, "IMapUnordered", errors.Join(errs...), nil)
					slices.Sort(got)
					wantSlice(t, got, 0, 1, 4, 9, 16, 25)
				}
			})
		})
	}
}

func TestUnorderedIsInOrderOfCompletion(t *testing.T) { // D73
	runtimetest.Run(t, 1, func() {
		got, _ := collect(pool.IMapUnordered(new(pool.Group), 0, numbers(6), backwards))
		wantSlice(t, got, 25, 16, 9, 4, 1, 0)
		got, _ = collect(pool.IMapUnordered(pool.New(1), 0, numbers(6), backwards))
		wantSlice(t, got, 0, 1, 4, 9, 16, 25)
	})
}

func TestMapOfNothing(t *testing.T) { // D73
	runtimetest.Run(t, 1, func() {
		for _, spawner := range spawners {
			got, err := pool.Map(spawner(), numbers(0), backwards)
			wantErr(t, "Map", err, nil)
			want(t, "results", len(got), 0)
			for range pool.IMap(spawner(), 1, numbers(0), backwards) {
				t.Error("an element of IMap")
			}
			for range pool.IMapUnordered(spawner(), 0, numbers(0), backwards) {
				t.Error("an element of IMapUnordered")
			}
		}
	})
}

func TestMapSurfacesTheFirstError(t *testing.T) { // D74
	quiet(t, 1, func() {
		p := pool.New(2)
		var started, killed []int
		fails := func(how func() (int, error)) func(int) (int, error) {
			started, killed = nil, nil
			return func(i int) (int, error) {
				started = append(started, i)
				if i == 1 {
					return how()
				}
				err := runtime.NewWaiter().Park("test")
				if errors.Is(err, pool.ErrAbandoned) {
					killed = append(killed, i)
				}
				return 0, err
			}
		}
		_, err := pool.Map(p, numbers(9), fails(func() (int, error) { return 0, errOdd }))
		wantErr(t, "Map", err, errOdd)
		wantSlice(t, started, 0, 1)
		wantSlice(t, killed, 0)
		want(t, "Free", p.Free(), 2)
		_, err = pool.Map(p, numbers(9), fails(func() (int, error) { panic("odd") }))
		wantPanic(t, "Map", err, "odd")
		want(t, "Free", p.Free(), 2)

		// The last one fails, while Map waits for all.
		_, err = pool.Map(p, numbers(2), fails(func() (int, error) { runtime.Yield(); return 0, errOdd }))
		wantErr(t, "Map", err, errOdd)
		wantSlice(t, killed, 0)
	})
}

func TestIMapErrorsComeWithTheirElements(t *testing.T) { // D74
	quiet(t, 1, func() {
		for _, spawner := range spawners {
			p := spawner()
			fn := func(i int) (int, error) {
				switch i {
				case 1:
					return -1, errOdd
				case 3:
					panic("odd")
				case 4:
					runtime.Current().Kill(errCause)
				}
				return i, nil
			}
			for name, seq := range map[string]iter.Seq2[int, error]{
				"IMap":          pool.IMap(p, 2, numbers(6), fn),
				"IMapUnordered": pool.IMapUnordered(p, 2, numbers(6), fn),
			} {
				got, errs := collect(seq)
				wantSlice(t, got, 0, -1, 2, 0, 0, 5)
				if len(errs) != 6 {
					t.Fatal(name, errs)
				}
				wantErr(t, name, errs[1], errOdd)
				wantPanic(t, name, errs[3], "odd")
				wantErr(t, name, errs[4], errCause)
				wantErr(t, name, errors.Join(errs[0], errs[2], errs[5]), nil)
			}
		}
	})
}

func TestPanicOfTheInputSurfaces(t *testing.T) { // D75
	quiet(t, 1, func() {
		in := func(yield func(int) bool) {
			_ = yield(0) && yield(1)
			panic(errOdd)
		}
		for _, spawner := range spawners {
			p := spawner()
			ended := 0
			fn := func(i int) (int, error) {
				defer func() { ended++ }()
				runtime.Yield()
				return i, nil
			}
			want(t, "panic of Map", recovered(func() { _, _ = pool.Map(p, in, fn) }), any(errOdd))
			ended = 0
			for name, seq := range map[string]iter.Seq2[int, error]{
				"IMap":          pool.IMap(p, 0, in, fn),
				"IMapUnordered": pool.IMapUnordered(p, 1, in, fn),
			} {
				got, errs := collect(seq)
				wantSlice(t, got, 0, 1, 0)
				wantErr(t, name, errs[2], errOdd)
				wantPanic(t, name, errs[2], errOdd)
			}
			want(t, "calls ended", ended, 4)
		}
	})
}

// TestBoundOnWhatIsAhead counts what has been taken from the input and not been
// seen.
func TestBoundOnWhatIsAhead(t *testing.T) { // D76
	runtimetest.Run(t, 1, func() {
		for _, spawner := range spawners {
			for _, maxsize := range []int{1, 2, 5} {
				for name, imap := range map[string]func(iter.Seq[int]) iter.Seq2[int, error]{
					"IMap": func(in iter.Seq[int]) iter.Seq2[int, error] {
						return pool.IMap(spawner(), maxsize, in, backwards)
					},
					"IMapUnordered": func(in iter.Seq[int]) iter.Seq2[int, error] {
						return pool.IMapUnordered(spawner(), maxsize, in, backwards)
					},
				} {
					taken, seen, most := 0, 0, 0
					in := func(yield func(int) bool) {
						for i := range 10 {
							taken++
							most = max(most, taken-seen)
							if !yield(i) {
								return
							}
						}
					}
					for _, err := range imap(in) {
						wantErr(t, name, err, nil)
						seen++
						for range 3 {
							settle() // it gets as far ahead as it can
						}
						want(t, "ahead", taken-seen, min(maxsize, 10-seen))
					}
					want(t, "seen", seen, 10)
					if most > maxsize+1 {
						t.Errorf("%s with maxsize %d is %d ahead", name, maxsize, most)
					}
				}
			}
		}
	})
}

// TestLeavingALoop leaves it with calls under way, done and not started, and
// an input that waits.
func TestLeavingALoop(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		for _, ordered := range []bool{true, false} {
			p := pool.New(3)
			var killed []int
			inEnded := false
			in := func(yield func(int) bool) {
				defer func() { inEnded = true }()
				for i := range 4 {
					if !yield(i) {
						return
					}
				}
				runtime.Sleep(time.Hour)
			}
			fn := func(i int) (int, error) {
				if i < 2 {
					return i, nil
				}
				err := runtime.NewWaiter().Park("test")
				wantErr(t, "kill", err, pool.ErrAbandoned)
				killed = append(killed, i)
				return i, err
			}
			seq := pool.IMapUnordered(p, 0, in, fn)
			if ordered {
				seq = pool.IMap(p, 0, in, fn)
			}
			for range seq {
				settle()
				break
			}
			want(t, "the input has ended", inEnded, true)
			wantSlice(t, killed, 2, 3)
			want(t, "Free", p.Free(), 3)
			want(t, "Len", p.Len(), 0)
		}
	})
}

func TestPanicInALoop(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		p := pool.New(2)
		r := recovered(func() {
			for range pool.IMap(p, 0, numbers(5), backwards) {
				panic("in the loop")
			}
		})
		want(t, "panic", r, any("in the loop"))
		want(t, "Len", p.Len(), 0)
	})
}

func TestKillOfTheMapper(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		p := pool.New(2)
		fn := func(int) (int, error) { return 0, runtime.NewWaiter().Park("test") }
		for name, call := range map[string]func() error{
			"Map waiting for a slot": func() error { _, err := pool.Map(p, numbers(5), fn); return err },
			"Map waiting for all":    func() error { _, err := pool.Map(p, numbers(2), fn); return err },
			"IMap": func() error {
				_, errs := collect(pool.IMap(p, 0, numbers(5), fn))
				want(t, "elements", len(errs), 1)
				return errs[0]
			},
			"IMapUnordered": func() error {
				_, errs := collect(pool.IMapUnordered(p, 1, numbers(5), fn))
				want(t, "elements", len(errs), 1)
				return errs[0]
			},
			"Apply": func() error {
				_, err := pool.Apply(p, func() (int, error) { return fn(0) })
				return err
			},
		} {
			var err error
			task := runtime.Spawn(func() { err = call() })
			settle()
			task.Kill(errCause)
			_ = task.Join()
			wantErr(t, name, err, errCause)
			want(t, name+": members left", p.Len(), 0)
		}
	})
}

// TestMapFromAGoroutine has its tasks on four workers.
func TestMapFromAGoroutine(t *testing.T) {
	rt := quietRuntime(t, 4)
	p := pool.New(5)
	p.PlaceBy(rt.Spawn)
	square := func(i int) (int, error) {
		runtime.Yield()
		if i == 100 {
			return 0, errOdd
		}
		return i * i, nil
	}
	got, err := pool.Map(p, numbers(100), square)
	wantErr(t, "Map", err, nil)
	for i, v := range got {
		want(t, "Map", v, i*i)
	}
	_, err = pool.Map(p, numbers(200), square)
	wantErr(t, "Map", err, errOdd)
	for _, maxsize := range []int{0, 1, 7} {
		i := 0
		for v, err := range pool.IMap(p, maxsize, numbers(100), square) {
			wantErr(t, "IMap", err, nil)
			want(t, "IMap", v, i*i)
			i++
		}
		want(t, "IMap elements", i, 100)
		sum := 0
		for v, err := range pool.IMapUnordered(p, maxsize, numbers(100), square) {
			wantErr(t, "IMapUnordered", err, nil)
			sum += v
		}
		want(t, "IMapUnordered", sum, 328350)
		for range pool.IMapUnordered(p, maxsize, numbers(100), square) {
			break
		}
	}
	wantErr(t, "Join", p.Join(), nil)
	want(t, "Free", p.Free(), 5)
}
