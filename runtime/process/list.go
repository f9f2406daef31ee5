package process

import (
	"encoding/binary"
	"slices"

	"github.com/weft-go/weft/runtime/process/internal/codec"
)

// items is what List, Array and Value have in common: a handle to a list.
type items[T any] struct{ address }

const answerAboutList = "answer about a list"

func (l *items[T]) ask(op op, i, j int, parts ...[]byte) ([]byte, error) {
	head := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), uint64(i))
	head = binary.LittleEndian.AppendUint64(head, uint64(j))
	return l.result(outgoing{op: op, reason: answerAboutList}, append([][]byte{head}, parts...)...)
}

func (l *items[T]) get(op op, i int) (T, error) {
	b, err := l.ask(op, i, 0)
	if err != nil {
		var zero T
		return zero, err
	}
	return decode[T]("item", b)
}

func (l *items[T]) set(op op, i, j int, value T) error {
	b, err := encode("item", value)
	if err == nil {
		_, err = l.ask(op, i, j, b)
	}
	return err
}

// modify sets item i to what fn makes of it.
func (l *items[T]) modify(i int, fn func(T) (T, error)) error {
	for {
		b, err := l.ask(listSee, i, 0)
		if err != nil {
			return err
		}
		version, ok := u64Of(b)
		if !ok {
			return ErrGone
		}
		old, err := decode[T]("item", b[8:])
		if err != nil {
			return err
		}
		value, err := fn(old)
		if err != nil {
			return err
		}
		if err = l.set(listSetIf, i, int(version), value); err != errChanged {
			return err
		}
	}
}

func (l *items[T]) length() (int, error) {
	b, err := l.ask(listLen, 0, 0)
	n, _ := u64Of(b)
	return int(n), err
}

func (l *items[T]) slice(i, j int) (values []T, version uint64, err error) {
	b, err := l.ask(listSlice, i, j)
	if err != nil {
		return nil, 0, err
	}
	version, ok := u64Of(b)
	if !ok {
		return nil, 0, ErrGone
	}
	b = b[8:]
	for len(b) > 0 {
		one, rest, ok := codec.Cut(b)
		if !ok {
			return nil, 0, ErrGone
		}
		v, err := decode[T]("item", one)
		if err != nil {
			return nil, 0, err
		}
		values, b = append(values, v), rest
	}
	return values, version, nil
}

// encodeAll encodes values, each with its length.
func encodeAll[T any](values []T) ([]byte, error) {
	var all, scratch []byte
	for _, v := range values {
		var err error
		if scratch, err = appendValue(scratch[:0], "item", v); err != nil {
			return nil, err
		}
		all = codec.AppendBytes(all, scratch)
	}
	return all, nil
}

func (l *items[T]) replace(version int, values []T) error {
	all, err := encodeAll(values)
	if err == nil {
		_, err = l.ask(listReplace, 0, version, all)
	}
	return err
}

// Close ends the object: whoever uses it later gets ErrGone.
func (l *items[T]) Close() error { return l.remove() }

// A List is a list of items that processes share: each of them asks the owner. An item is a
// copy: to change a part of it, use Modify, which puts the whole back.
//
// Handles may be copied. Methods may be called from any task or goroutine, which waits for
// the owner's answer. They return ErrGone when the owner has ended, ErrNotFound for an index
// that does not exist, an *EncodeError for an item that can't be encoded, or the error of an
// interrupt, after which the change may have been made.
type List[T any] struct{ items[T] }

// NewList makes a List in a place, which holds the given items.
func NewList[T any](at Place, values ...T) (*List[T], error) {
	a, err := at.create(makeList, numbers(0))
	l := &List[T]{items[T]{a}}
	if err == nil && len(values) > 0 {
		err = l.Append(values...)
	}
	return l, err
}

// Append adds items at the end.
func (l *List[T]) Append(values ...T) error {
	all, err := encodeAll(values)
	if err == nil {
		_, err = l.ask(listAppend, 0, 0, all)
	}
	return err
}

// Get returns item i.
func (l *List[T]) Get(i int) (T, error) { return l.get(listGet, i) }

// Set sets item i.
func (l *List[T]) Set(i int, value T) error { return l.set(listSet, i, 0, value) }

// Insert inserts an item, which becomes item i; at the end if i is not less than the length.
func (l *List[T]) Insert(i int, value T) error { return l.set(listInsert, i, 0, value) }

// Pop deletes the last item, and returns it.
func (l *List[T]) Pop() (T, error) { return l.get(listPop, -1) }

// PopAt deletes item i, and returns it.
func (l *List[T]) PopAt(i int) (T, error) {
	if i < 0 {
		var zero T
		return zero, ErrNotFound
	}
	return l.get(listPop, i)
}

// Modify sets item i to what fn makes of it. fn may be called more than once: if somebody else
// has changed the item meanwhile. When fn returns an error nothing is changed, and Modify
// returns it.
func (l *List[T]) Modify(i int, fn func(old T) (T, error)) error { return l.modify(i, fn) }

// Len returns the number of items.
func (l *List[T]) Len() (int, error) { return l.length() }

// Slice returns items i to j-1.
func (l *List[T]) Slice(i, j int) ([]T, error) {
	if j < 0 {
		return nil, ErrNotFound
	}
	values, _, err := l.slice(i, j)
	return values, err
}

// All returns all items, as they are at one instant.
func (l *List[T]) All() ([]T, error) {
	values, _, err := l.slice(0, -1)
	return values, err
}

// Index returns the index of the first item that is value: has the same encoding.
func (l *List[T]) Index(value T) (int, error) {
	b, err := encode("item", value)
	if err != nil {
		return -1, err
	}
	if b, err = l.ask(listFind, 0, 0, b); err != nil {
		return -1, err
	}
	n, _ := u64Of(b)
	return int(n), nil
}

// ModifyAll sets the items to what fn makes of them: to sort or reverse them, to delete some.
// It is as Modify otherwise.
func (l *List[T]) ModifyAll(fn func(all []T) ([]T, error)) error {
	for {
		old, version, err := l.slice(0, -1)
		if err != nil {
			return err
		}
		values, err := fn(old)
		if err != nil {
			return err
		}
		if err = l.replace(int(version), values); err != errChanged {
			return err
		}
	}
}

// Sort sorts the items: see slices.SortFunc.
func (l *List[T]) Sort(cmp func(a, b T) int) error {
	return l.ModifyAll(func(all []T) ([]T, error) {
		slices.SortStableFunc(all, cmp)
		return all, nil
	})
}

// Clear deletes all items.
func (l *List[T]) Clear() error { return l.replace(-1, nil) }

// An Array is a List whose length does not change.
type Array[T any] struct{ items[T] }

// NewArray makes an Array of the given items in a place. An Array without any can have none
// later.
func NewArray[T any](at Place, values []T) (*Array[T], error) {
	a, err := at.create(makeList, numbers(1))
	l := &Array[T]{items[T]{a}}
	if err == nil && len(values) > 0 {
		var all []byte
		if all, err = encodeAll(values); err == nil {
			_, err = l.ask(listAppend, 0, 0, all)
		}
	}
	return l, err
}

// Get returns item i.
func (l *Array[T]) Get(i int) (T, error) { return l.get(listGet, i) }

// Set sets item i.
func (l *Array[T]) Set(i int, value T) error { return l.set(listSet, i, 0, value) }

// Modify is List.Modify.
func (l *Array[T]) Modify(i int, fn func(old T) (T, error)) error { return l.modify(i, fn) }

// Len returns the number of items.
func (l *Array[T]) Len() (int, error) { return l.length() }

// All returns all items, as they are at one instant.
func (l *Array[T]) All() ([]T, error) {
	values, _, err := l.slice(0, -1)
	return values, err
}

// SetAll sets all items at once. There must be as many as before, else the error is
// ErrNotFound.
func (l *Array[T]) SetAll(values []T) error { return l.replace(-1, values) }

// A Value is a single value that processes share. What is said of List holds for it.
type Value[T any] struct{ items[T] }

// NewValue makes a Value in a place.
func NewValue[T any](at Place, value T) (*Value[T], error) {
	a, err := NewArray(at, []T{value})
	return &Value[T]{a.items}, err
}

// Get returns the value.
func (v *Value[T]) Get() (T, error) { return v.get(listGet, 0) }

// Set sets the value.
func (v *Value[T]) Set(value T) error { return v.set(listSet, 0, 0, value) }

// Modify sets the value to what fn makes of it: it adds one, say, without a lock. It is as
// List.Modify otherwise.
func (v *Value[T]) Modify(fn func(old T) (T, error)) error { return v.modify(0, fn) }
