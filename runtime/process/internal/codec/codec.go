// Package codec turns values into bytes and back, between processes that run the same
// program.
//
// Bytes and strings are their own encoding. A type without pointers, as int or a
// struct of numbers, is copied as it lies in memory: the program at the other end is
// the same. All others are CBOR (RFC 8949) in its deterministic form, so that equal
// values have equal encodings, whose length does not depend on what was sent before.
// gob, the other candidate, must describe a type before its first value; here each
// message stands alone, since the one who reads it is not known, so that would be each
// time.
package codec

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/fxamacker/cbor/v2"
)

// ErrCorrupt is returned for bytes that are no encoding of the type.
var ErrCorrupt = errors.New("codec: not an encoding of the type")

type kind uint8

const (
	asCBOR  kind = iota
	asBytes      // []byte
	asText       // string
	asPlain      // as it lies in memory
)

// A Codec encodes and decodes values of one type. Its methods may be called from
// anywhere, and do not park, unless a method of the type does.
type Codec[T any] struct {
	kind kind
	size int // of a plain value

	// Carries says that values may have parts that are no data, but belong to a
	// message: see Carrier.
	Carries bool
}

// For returns the codec of a type.
func For[T any]() Codec[T] {
	t := reflect.TypeFor[T]()
	c := Codec[T]{size: int(t.Size())}
	switch {
	case t == reflect.TypeFor[[]byte]():
		c.kind = asBytes
	case t == reflect.TypeFor[string]():
		c.kind = asText
	case c.size > 0 && isPlain(t):
		c.kind = asPlain
	default:
		c.Carries = carries(t, make(map[reflect.Type]bool))
	}
	return c
}

// isPlain reports whether the memory of a value of type t is all there is to it. CBOR
// leaves unexported fields out, so a struct with such fields is not plain; nor is one
// with gaps, which would make equal values unequal.
func isPlain(t reflect.Type) bool {
	for _, own := range ownEncodings {
		if t.Implements(own) || reflect.PointerTo(t).Implements(own) {
			return false
		}
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return true
	case reflect.Array:
		return isPlain(t.Elem())
	case reflect.Struct:
		end := uintptr(0)
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() || f.Tag != "" || f.Offset != end || !isPlain(f.Type) {
				return false
			}
			end += f.Type.Size()
		}
		return end == t.Size()
	}
	return false
}

var ownEncodings = []reflect.Type{
	reflect.TypeFor[cbor.Marshaler](),
	reflect.TypeFor[encoding.BinaryMarshaler](),
	reflect.TypeFor[encoding.TextMarshaler](),
}

// cborModes are how everything is encoded and decoded. The limits on decoding are
// lifted: what comes is our own.
var cborModes = sync.OnceValue(func() (m struct {
	enc cbor.UserBufferEncMode
	dec cbor.DecMode
}) {
	options := cbor.CoreDetEncOptions()
	options.Time = cbor.TimeRFC3339Nano
	options.ShortestFloat = cbor.ShortestFloatNone
	var err error
	if m.enc, err = options.UserBufferEncMode(); err != nil {
		panic(err)
	}
	m.dec, err = cbor.DecOptions{
		MaxArrayElements: 1<<31 - 1,
		MaxMapPairs:      1<<31 - 1,
		MaxNestedLevels:  1 << 10,
		IntDec:           cbor.IntDecConvertSignedOrFail,
		DefaultMapType:   reflect.TypeFor[map[string]any](),
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
})

// Append appends the encoding of v to dst. The error says that v has a part that
// can't be encoded, as a function or channel, or is that of a method of its type.
func (c *Codec[T]) Append(dst []byte, v T) (_ []byte, err error) {
	// SAFETY, here and below: the kind says which type T is, and that a plain one
	// has no pointers and is size bytes long.
	switch c.kind {
	case asBytes:
		return append(dst, *(*[]byte)(unsafe.Pointer(&v))...), nil
	case asText:
		return append(dst, *(*string)(unsafe.Pointer(&v))...), nil
	case asPlain:
		return append(dst, unsafe.Slice((*byte)(unsafe.Pointer(&v)), c.size)...), nil
	}
	buf := bufferPool.Get().(*cborBuffer)
	defer bufferPool.Put(buf)
	defer func() {
		if r := recover(); r != nil { // of a method of the type
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	buf.Reset()
	if err := cborModes().enc.MarshalToBuffer(v, &buf.Buffer); err != nil {
		return dst, err
	}
	return append(dst, buf.Bytes()...), nil
}

// View returns the encoding of v where that needs no copy, and whether so. It is
// valid as long as v is.
func (c *Codec[T]) View(v *T) ([]byte, bool) {
	switch c.kind {
	case asBytes:
		return *(*[]byte)(unsafe.Pointer(v)), true
	case asText:
		s := *(*string)(unsafe.Pointer(v))
		return unsafe.Slice(unsafe.StringData(s), len(s)), true
	case asPlain:
		return unsafe.Slice((*byte)(unsafe.Pointer(v)), c.size), true
	}
	return nil, false
}

// Decode decodes src into v, which then shares no memory with src. Memory that v has
// already is used again where that is possible.
func (c *Codec[T]) Decode(src []byte, v *T) (err error) {
	switch c.kind {
	case asBytes:
		p := (*[]byte)(unsafe.Pointer(v))
		*p = append((*p)[:0], src...)
		if *p == nil {
			*p = []byte{}
		}
		return nil
	case asText:
		*(*string)(unsafe.Pointer(v)) = string(src)
		return nil
	case asPlain:
		if len(src) != c.size {
			return ErrCorrupt
		}
		copy(unsafe.Slice((*byte)(unsafe.Pointer(v)), c.size), src)
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return cborModes().dec.Unmarshal(src, v)
}

// Adopt is Decode of bytes that nobody else uses: v may keep them.
func (c *Codec[T]) Adopt(src []byte, v *T) error {
	if c.kind == asBytes {
		*(*[]byte)(unsafe.Pointer(v)) = src
		return nil
	}
	return c.Decode(src, v)
}

// AppendAll appends the encodings of values.
func (c *Codec[T]) AppendAll(dst []byte, values []T) ([]byte, error) {
	if c.kind == asPlain {
		if len(values) == 0 {
			return dst, nil
		}
		return append(dst, unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), c.size*len(values))...), nil
	}
	var scratch []byte
	for i := range values {
		one, ok := c.View(&values[i])
		if !ok {
			var err error
			if scratch, err = c.Append(scratch[:0], values[i]); err != nil {
				return dst, &ItemError{Index: i, Err: err}
			}
			one = scratch
		}
		dst = binary.AppendUvarint(dst, uint64(len(one)))
		dst = append(dst, one...)
	}
	return dst, nil
}

// An ItemError says which of several values could not be encoded or decoded.
type ItemError struct {
	Index int
	Err   error
}

func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Index, e.Err) }

// Unwrap returns what was wrong with the item.
func (e *ItemError) Unwrap() error { return e.Err }

// DecodeAll decodes what AppendAll appended, len(values) values.
func (c *Codec[T]) DecodeAll(src []byte, values []T) error {
	if c.kind == asPlain {
		if len(src) != c.size*len(values) {
			return ErrCorrupt
		}
		if len(values) > 0 {
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(src)), src)
		}
		return nil
	}
	for i := range values {
		one, rest, ok := Cut(src)
		if !ok {
			return ErrCorrupt
		}
		src = rest
		if err := c.Decode(one, &values[i]); err != nil {
			return &ItemError{Index: i, Err: err}
		}
	}
	if len(src) > 0 {
		return ErrCorrupt
	}
	return nil
}

// Split returns the part of an encoding by AppendAll that has the n values from index
// from on.
func (c *Codec[T]) Split(src []byte, from, n int) ([]byte, error) {
	if c.kind == asPlain {
		if (from+n)*c.size > len(src) {
			return nil, ErrCorrupt
		}
		return src[from*c.size : (from+n)*c.size], nil
	}
	skip := func(b []byte, k int) ([]byte, bool) {
		for range k {
			_, rest, ok := Cut(b)
			if !ok {
				return nil, false
			}
			b = rest
		}
		return b, true
	}
	src, ok := skip(src, from)
	if !ok {
		return nil, ErrCorrupt
	}
	rest, ok := skip(src, n)
	if !ok {
		return nil, ErrCorrupt
	}
	return src[:len(src)-len(rest)], nil
}

// AppendBytes appends the bytes b with their length.
func AppendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// Cut is the reverse of AppendBytes: it returns the bytes, and what follows.
func Cut(src []byte) (b, rest []byte, ok bool) {
	n, k := binary.Uvarint(src)
	if k <= 0 || n > uint64(len(src)-k) {
		return nil, nil, false
	}
	return src[k : k+int(n) : k+int(n)], src[k+int(n):], true
}

// AppendEach is AppendAll that also returns where in dst each value's part begins, and where
// the last one ends; nil if all parts are of one length.
func (c *Codec[T]) AppendEach(dst []byte, values []T) (_ []byte, offsets []int, err error) {
	if c.kind == asPlain {
		dst, err = c.AppendAll(dst, values)
		return dst, nil, err
	}
	offsets = make([]int, 0, len(values)+1)
	for i := range values {
		offsets = append(offsets, len(dst))
		if dst, err = c.AppendAll(dst, values[i:i+1]); err != nil {
			if item, ok := err.(*ItemError); ok {
				item.Index = i
			}
			return dst, nil, err
		}
	}
	return dst, append(offsets, len(dst)), nil
}
