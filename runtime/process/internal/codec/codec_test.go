package codec

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type plain struct {
	A, B int32
	C    [2]float64
}

type gap struct {
	A int8
	B int64
}

type hidden struct{ A, b int }

var _ = hidden{b: 1}.b

type tagged struct {
	A int `cbor:"x"`
}

type mixed struct {
	Name  string
	Tags  map[string][]int
	When  time.Time
	Next  *mixed
	Any   any
	Plain plain
}

func roundTrip[T any](t *testing.T, want T) {
	t.Helper()
	c := For[T]()
	b, err := c.Append([]byte("before"), want)
	if err != nil {
		t.Errorf("%T: %v", want, err)
		return
	}
	var got T
	if err := c.Decode(bytes.TrimPrefix(b, []byte("before")), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%T: got %#v, %v; want %#v", want, got, err, want)
	}
	if view, ok := c.View(&want); ok && "before"+string(view) != string(b) {
		t.Errorf("%T: the view differs: %q, %q", want, view, b)
	}
	for _, n := range []int{0, 1, 3} {
		values := make([]T, n)
		for i := range values {
			values[i] = want
		}
		b, err := c.AppendAll(nil, values)
		if err != nil {
			t.Errorf("%T: %v", want, err)
			return
		}
		got := make([]T, n)
		if err := c.DecodeAll(b, got); err != nil || !reflect.DeepEqual(got, values) {
			t.Errorf("%d of %T: got %#v, %v", n, want, got, err)
		}
		if n == 3 {
			part, err := c.Split(b, 1, 2)
			if err == nil {
				err = c.DecodeAll(part, got[:2])
			}
			if err != nil {
				t.Errorf("part of %T: %v", want, err)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	roundTrip(t, 5)
	roundTrip(t, uint8(200))
	roundTrip(t, math.Inf(-1))
	roundTrip(t, true)
	roundTrip(t, "text")
	roundTrip(t, "")
	roundTrip(t, []byte("bytes"))
	roundTrip(t, []byte{})
	roundTrip(t, plain{1, 2, [2]float64{3, 4}})
	roundTrip(t, gap{1, 2})
	roundTrip(t, tagged{1})
	roundTrip(t, struct{}{})
	roundTrip(t, []string{"a", ""})
	roundTrip(t, map[int]string{1: "a"})
	roundTrip(t, time.Unix(5, 6789).UTC())
	roundTrip[any](t, map[string]any{"a": int64(-1), "b": []any{"x", 1.5, true, nil}})
	roundTrip(t, mixed{Name: "n", Tags: map[string][]int{"a": {1}}, When: time.Unix(1, 1).UTC(), Next: &mixed{Any: "x"}, Any: int64(7)})
}

// TestKinds: which types are copied as they lie in memory.
func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		got, want kind
	}{
		{For[int]().kind, asPlain},
		{For[plain]().kind, asPlain},
		{For[[4]bool]().kind, asPlain},
		{For[gap]().kind, asCBOR},      // memory between the fields is not part of the value
		{For[hidden]().kind, asCBOR},   // CBOR leaves b out, memory would not
		{For[tagged]().kind, asCBOR},   // has asked for CBOR
		{For[struct{}]().kind, asCBOR}, // no bytes at all
		{For[time.Month]().kind, asPlain},
		{For[time.Time]().kind, asCBOR},
		{For[*int]().kind, asCBOR},
		{For[uintptr]().kind, asCBOR},
	} {
		if tt.got != tt.want {
			t.Errorf("got %v, want %v", tt.got, tt.want)
		}
	}
}

// TestDeterministic: equal values have equal encodings, as keys of a dict must.
func TestDeterministic(t *testing.T) {
	c := For[map[string]int]()
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.MapOf(rapid.String(), rapid.Int()).Draw(rt, "m")
		again := make(map[string]int)
		for k, v := range m {
			again[k] = v
		}
		a, err1 := c.Append(nil, m)
		b, err2 := c.Append(nil, again)
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			rt.Fatalf("%x, %x, %v, %v", a, b, err1, err2)
		}
	})
}

type bad struct{}

func (bad) MarshalBinary() ([]byte, error) { panic("in a method") }

func TestNotEncodable(t *testing.T) {
	for _, err := range []error{
		second(new(Codec[chan int]).Append(nil, make(chan int))),
		second(new(Codec[any]).Append(nil, func() {})),
		second(new(Codec[struct{ F func() }]).Append(nil, struct{ F func() }{func() {}})),
		second(new(Codec[bad]).Append(nil, bad{})),
		second(new(Codec[chan int]).AppendAll(nil, make([]chan int, 2))),
	} {
		if err == nil {
			t.Error("no error")
		}
	}
}

func second[A any](_ A, err error) error { return err }

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\xa1\x64Name\x61x"))
	c, all, p := For[mixed](), For[string](), For[plain]()
	f.Fuzz(func(t *testing.T, b []byte) {
		var m mixed
		_ = c.Decode(b, &m)
		_ = all.DecodeAll(b, make([]string, 3))
		_, _ = all.Split(b, 1, 1)
		if err := p.Decode(b, new(plain)); (err == nil) != (len(b) == 24) {
			t.Error(err)
		}
	})
}

type parcel struct{ fd int }

func (p *parcel) CarriesDescriptors() {}
func (p *parcel) MarshalBinary() ([]byte, error) {
	return []byte("p"), Outgoing(func() {}, p.fd)
}
func (p *parcel) UnmarshalBinary([]byte) error {
	fds, err := Incoming(1)
	if err == nil {
		p.fd = fds[0]
	}
	return err
}

func TestCarrier(t *testing.T) {
	type args struct {
		N     int
		Parts map[string]*parcel
	}
	c := For[args]()
	if !c.Carries || For[*parcel]().Carries == false || For[mixed]().Carries {
		t.Fatal("carriers are not told from data")
	}
	var b []byte
	out := new(Baggage)
	err := With(out, func() (err error) {
		b, err = c.Append(nil, args{1, map[string]*parcel{"a": {5}, "b": {6}}})
		return err
	})
	if err != nil || len(out.Descriptors) != 2 || len(out.Sent) != 2 {
		t.Fatalf("%v, %v", out, err)
	}
	in := &Baggage{Descriptors: append(out.Descriptors, 7)}
	var got args
	if err := With(in, func() error { return c.Decode(b, &got) }); err != nil || got.Parts["a"].fd+got.Parts["b"].fd != 11 {
		t.Errorf("%v, %v", got, err)
	}
	if rest := in.Rest(); len(rest) != 1 || rest[0] != 7 {
		t.Errorf("rest: %v", rest)
	}
	if _, err := c.Append(nil, args{1, map[string]*parcel{"a": {5}}}); !errors.Is(err, ErrNotCarried) {
		t.Errorf("without baggage: %v", err)
	}
	any := For[any]()
	if any.Carries {
		t.Error("an interface carries nothing")
	}
	if _, err := any.Append(nil, &parcel{5}); !errors.Is(err, ErrNotCarried) {
		t.Errorf("in an interface: %v", err)
	}
}
