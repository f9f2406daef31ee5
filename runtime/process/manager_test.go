package process

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/weft-go/weft/runtime"
)

// TestDictAndList is the tutorial's: ten processes share a dict and a list.
func TestDictAndList(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		d := ok(NewDict[string, int](at))
		l := ok(NewList[int](at))
		var children []*Running[int]
		for i := range 10 {
			children = append(children, ok(Start(fills, fillArgs{d, l, i})))
		}
		for _, p := range children {
			ok(p.Result())
		}
		want(t, "keys", ok(d.Len()), 11)
		want(t, "count", ok(d.Get("count")), 100)
		want(t, "7", ok(d.Get("7")), 49)
		check(t, l.Sort(cmp.Compare[int]))
		want(t, "list", fmt.Sprint(ok(l.All())), "[0 1 2 3 4 5 6 7 8 9]")
		check(t, d.Close())
		check(t, l.Close())
	})
}

type fillArgs struct {
	D *Dict[string, int]
	L *List[int]
	N int
}

var fills = Register("test fill", func(a fillArgs) (int, error) {
	if err := a.D.Set(fmt.Sprint(a.N), a.N*a.N); err != nil {
		return 0, err
	}
	for range 10 { // together with others
		if err := a.D.Modify("count", func(n int, _ bool) (int, error) { return n + 1, nil }); err != nil {
			return 0, err
		}
	}
	return 0, a.L.Append(a.N)
})

func TestDict(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		type key struct{ A, B int }
		d := ok(NewDict[key, []string](at))
		_, err := d.Get(key{1, 2})
		wantErr(t, "get", err, ErrNotFound)
		check(t, d.Set(key{1, 2}, []string{"a"}))
		check(t, d.Set(key{2, 1}, nil))
		want(t, "get", fmt.Sprint(ok(d.Get(key{1, 2}))), "[a]")
		want(t, "has", ok(d.Has(key{2, 1})), true)
		want(t, "has", ok(d.Has(key{2, 2})), false)
		want(t, "default", fmt.Sprint(ok(d.SetDefault(key{1, 2}, nil))), "[a]")
		want(t, "default", fmt.Sprint(ok(d.SetDefault(key{3, 3}, []string{"new"}))), "[new]")
		// A part of a value is changed, and kept.
		check(t, d.Modify(key{1, 2}, func(old []string, exists bool) ([]string, error) {
			want(t, "exists", exists, true)
			return append(old, "b"), nil
		}))
		want(t, "modified", fmt.Sprint(ok(d.Get(key{1, 2}))), "[a b]")
		wantErr(t, "modify", d.Modify(key{1, 2}, func([]string, bool) ([]string, error) { return nil, errKnown }), errKnown)
		check(t, d.Modify(key{4, 4}, func(_ []string, exists bool) ([]string, error) {
			want(t, "exists", exists, false)
			return nil, nil
		}))
		want(t, "keys", fmt.Sprint(ok(d.Keys())), "[{1 2} {2 1} {3 3} {4 4}]")
		check(t, d.Delete(key{2, 1}))
		wantErr(t, "delete", d.Delete(key{2, 1}), ErrNotFound)
		want(t, "pop", fmt.Sprint(ok(d.Pop(key{3, 3}))), "[new]")
		_, err = d.Pop(key{3, 3})
		wantErr(t, "pop", err, ErrNotFound)
		k, _, err := d.PopItem()
		check(t, err)
		want(t, "popitem", k, key{4, 4})
		check(t, d.Update(maps.All(map[key][]string{{1, 2}: {"x"}, {9, 9}: {"y"}})))
		var all []string
		for k, v := range ok(d.Items()) {
			all = append(all, fmt.Sprint(k, v))
		}
		want(t, "items", strings.Join(all, " "), "{1 2} [x] {9 9} [y]")
		check(t, d.Clear())
		want(t, "length", ok(d.Len()), 0)
		_, _, err = d.PopItem()
		wantErr(t, "popitem", err, ErrNotFound)
		for i := range 100 {
			check(t, d.Set(key{i, i}, nil))
		}
		for i := range 90 {
			check(t, d.Delete(key{i, i}))
		}
		want(t, "keys left", len(ok(d.Keys())), 10)
		check(t, d.Close())
		wantErr(t, "closed", d.Set(key{}, nil), ErrGone)

		bad := ok(NewDict[string, any](at))
		var encode *EncodeError
		if err := bad.Set("a", func() {}); !errors.As(err, &encode) {
			t.Errorf("a function: %v", err)
		}
		check(t, bad.Set("a", "text"))
		if _, err := (&Dict[string, int]{bad.address}).Get("a"); !errors.As(err, &encode) {
			t.Errorf("the wrong type: %v", err)
		}
		check(t, bad.Close())
	})
}

func TestList(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		l := ok(NewList(at, "a", "b"))
		check(t, l.Append("c", "d"))
		check(t, l.Insert(0, "0"))
		check(t, l.Insert(100, "z"))
		check(t, l.Set(1, "A"))
		want(t, "all", fmt.Sprint(ok(l.All())), "[0 A b c d z]")
		want(t, "item", ok(l.Get(2)), "b")
		for _, i := range []int{-1, 6} {
			_, err := l.Get(i)
			wantErr(t, "get", err, ErrNotFound)
			wantErr(t, "set", l.Set(i, ""), ErrNotFound)
			_, err = l.PopAt(i)
			wantErr(t, "pop", err, ErrNotFound)
		}
		want(t, "pop", ok(l.Pop()), "z")
		want(t, "pop", ok(l.PopAt(0)), "0")
		want(t, "index", ok(l.Index("c")), 2)
		_, err := l.Index("x")
		wantErr(t, "index", err, ErrNotFound)
		want(t, "slice", fmt.Sprint(ok(l.Slice(1, 3))), "[b c]")
		_, err = l.Slice(1, 5)
		wantErr(t, "slice", err, ErrNotFound)
		check(t, l.Modify(0, func(old string) (string, error) { return old + old, nil }))
		check(t, l.ModifyAll(func(all []string) ([]string, error) { return all[:2], nil }))
		want(t, "all", fmt.Sprint(ok(l.All())), "[AA b]")
		want(t, "length", ok(l.Len()), 2)
		check(t, l.Clear())
		_, err = l.Pop()
		wantErr(t, "pop", err, ErrNotFound)
		check(t, l.Close())
		wantErr(t, "closed", l.Append("x"), ErrGone)
	})
}

func TestArrayValueNamespace(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		a := ok(NewArray(at, []float64{1, 2, 3}))
		check(t, a.Set(1, 5))
		check(t, a.Modify(1, func(v float64) (float64, error) { return v * 2, nil }))
		want(t, "array", fmt.Sprint(ok(a.All())), "[1 10 3]")
		want(t, "item", ok(a.Get(2)), 3)
		want(t, "length", ok(a.Len()), 3)
		check(t, a.SetAll([]float64{4, 5, 6}))
		wantErr(t, "another length", a.SetAll(nil), ErrNotFound)
		wantErr(t, "out of range", a.Set(3, 1), ErrNotFound)
		check(t, a.Close())

		v := ok(NewValue(at, 0))
		children := []*Running[int]{ok(Start(adds, v)), ok(Start(adds, v))}
		for _, p := range children {
			ok(p.Result())
		}
		want(t, "value", ok(v.Get()), 200)
		check(t, v.Close())

		ns := ok(NewNamespace(at))
		check(t, SetAttr(ns, "n", 1))
		check(t, SetAttr(ns, "words", []string{"a"}))
		check(t, ModifyAttr(ns, "n", func(n int, _ bool) (int, error) { return n + 1, nil }))
		want(t, "attribute", ok(Attr[int](ns, "n")), 2)
		want(t, "attribute", fmt.Sprint(ok(Attr[[]string](ns, "words"))), "[a]")
		want(t, "names", fmt.Sprint(ok(ns.Names())), "[n words]")
		_, err := Attr[int](ns, "x")
		wantErr(t, "no attribute", err, ErrNotFound)
		check(t, ns.Delete("n"))
		check(t, ns.Close())
	})
}

var adds = Register("test add", func(v *Value[int]) (int, error) {
	for range 100 {
		if err := v.Modify(func(n int) (int, error) { return n + 1, nil }); err != nil {
			return 0, err
		}
	}
	return 0, nil
})

// TestManagerKilled: calls under way and later ones fail.
func TestManagerKilled(t *testing.T) {
	inTask(t, func() {
		m := ok(StartManager(Named("keeper")))
		want(t, "name", m.Process().Name(), "keeper")
		e := ok(NewEvent(m))
		q := ok(NewQueue[int](m, 0))
		check(t, q.Put(1))
		child := ok(Start(waitsForEvent, e))
		task := runtime.Async(func() (int, error) { return 0, e.Wait() })
		runtime.Yield()
		check(t, m.Process().Kill())
		_, err := task.Get()
		wantErr(t, "a call under way", err, ErrGone)
		_, err = child.Result()
		wantErr(t, "another process's", err, ErrGone)
		check(t, m.Process().Join())
		wantErr(t, "a later call", e.Set(), ErrGone)
		wantErr(t, "put", q.Put(1), ErrGone)
		_, err = q.Get()
		wantErr(t, "get", err, ErrGone)
		_, err = NewLock(m)
		wantErr(t, "a new object", err, ErrGone)
		check(t, m.Shutdown())
	})
}

// TestHandles: a handle goes to any process by any way; its object is where it was made.
func TestHandles(t *testing.T) {
	inTask(t, func() {
		// Of a child's object, through a pipe, to its parent and to its sibling.
		r, w, err := OneWay[*List[string]]()
		check(t, err)
		done := ok(NewEvent(Here))
		owner := ok(Start(ownsList, ownsArgs{w, done}))
		l := ok(r.Recv())
		check(t, l.Append("parent"))
		ok(ok(Start(appendsTo, l)).Result())
		want(t, "list", fmt.Sprint(ok(l.All())), "[owner parent sibling]")

		// In a dict of handles, which is in a manager.
		m := ok(StartManager())
		d := ok(NewDict[string, *List[string]](m))
		check(t, d.Set("l", l))
		again := ok(d.Get("l"))
		check(t, again.Append("again"))
		want(t, "length", ok(l.Len()), 4)
		check(t, m.Shutdown())

		check(t, done.Set())
		ok(owner.Result())
		wantErr(t, "after the owner's end", l.Append("x"), ErrGone)
		check(t, done.Close())
		check(t, r.Close())
		if _, err := new(List[string]).MarshalBinary(); err == nil {
			t.Error("the zero handle was sent")
		}
	})
}

type ownsArgs struct {
	Up   *Sender[*List[string]]
	Done *Event
}

var (
	ownsList = Register("test own list", func(a ownsArgs) (int, error) {
		l, err := NewList(Here, "owner")
		if err == nil {
			err = a.Up.Send(l)
		}
		if err == nil {
			err = a.Done.Wait()
		}
		return 0, err
	})
	appendsTo = Register("test append to", func(l *List[string]) (int, error) { return 0, l.Append("sibling") })
)
