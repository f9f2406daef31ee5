package codec

import (
	"bytes"
	"errors"
	"reflect"
	"sync"

	"github.com/petermattis/goid"
)

type cborBuffer struct{ bytes.Buffer }

var bufferPool = sync.Pool{New: func() any { return new(cborBuffer) }}

// A Carrier is a type whose values are more than data: descriptors that must go along
// with the message. Its MarshalBinary adds them to Outgoing, its UnmarshalBinary takes
// them from Incoming.
type Carrier interface{ CarriesDescriptors() }

// ErrNotCarried is returned by Outgoing and Incoming when the message at hand can't
// carry anything.
var ErrNotCarried = errors.New("descriptors go only with the arguments of a process and through a pipe")

// carries reports whether a value of type t may have a Carrier in it. A value in an
// interface is not found: then its MarshalBinary fails, for want of a Baggage.
func carries(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if t.Implements(reflect.TypeFor[Carrier]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[Carrier]()) {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return carries(t.Elem(), seen)
	case reflect.Map:
		return carries(t.Key(), seen) || carries(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if carries(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}

// A Baggage is what goes along with one message.
type Baggage struct {
	Descriptors []int
	Sent        []func() // to be called when the message was sent
	next        int
}

// baggages are those of the messages that are being encoded or decoded, by the id of
// the goroutine that does so, a task's coroutine say: the methods of encoding's
// interfaces have no other way to learn of it. Only types that carry something come
// here.
var baggages sync.Map

// With calls fn, an Append or a Decode, with b for the values' baggage.
func With(b *Baggage, fn func() error) error {
	id := goid.Get()
	baggages.Store(id, b)
	defer baggages.Delete(id)
	return fn()
}

func current() *Baggage {
	if b, ok := baggages.Load(goid.Get()); ok {
		return b.(*Baggage)
	}
	return nil
}

// Outgoing is called by a MarshalBinary: it adds descriptors to the message that is
// being encoded, and a function to be called when that was sent. The message closes
// the descriptors when it was sent, and when it was not.
func Outgoing(sent func(), fds ...int) error {
	b := current()
	if b == nil {
		return ErrNotCarried
	}
	b.Descriptors = append(b.Descriptors, fds...)
	b.Sent = append(b.Sent, sent)
	return nil
}

// Incoming is called by an UnmarshalBinary: it returns the next n descriptors of the
// message that is being decoded.
func Incoming(n int) ([]int, error) {
	b := current()
	if b == nil {
		return nil, ErrNotCarried
	}
	if b.next+n > len(b.Descriptors) {
		return nil, ErrCorrupt
	}
	fds := b.Descriptors[b.next : b.next+n]
	b.next += n
	return fds, nil
}

// Rest returns the descriptors that Incoming did not give out.
func (b *Baggage) Rest() []int { return b.Descriptors[b.next:] }
