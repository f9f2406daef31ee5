package process

import (
	"iter"

	"github.com/weft-go/weft/runtime/process/internal/codec"
)

// A Dict is a map that processes share: each of them asks the owner. It keeps the order in
// which keys came. A value is a copy: to change a part of it, use Modify, which puts the
// whole back.
//
// Handles may be copied. Methods may be called from any task or goroutine, which waits for
// the owner's answer. They return ErrGone when the owner has ended, an *EncodeError for a
// key or value that can't be encoded, or the error of an interrupt, after which the change
// may have been made. Equal keys are those with the same encoding.
type Dict[K comparable, V any] struct {
	address
}

// NewDict makes an empty Dict in a place.
func NewDict[K comparable, V any](at Place) (*Dict[K, V], error) {
	a, err := at.create(makeDict, nil)
	return &Dict[K, V]{a}, err
}

// encode encodes a value, or says what could not be encoded.
func encode[T any](what string, v T) ([]byte, error) { return appendValue(nil, what, v) }

func appendValue[T any](dst []byte, what string, v T) ([]byte, error) {
	c := codecOf[T]()
	b, err := c.Append(dst, v)
	if err != nil {
		return nil, &EncodeError{What: what, Err: err}
	}
	return b, nil
}

func decode[T any](what string, b []byte) (T, error) {
	c := codecOf[T]()
	var v T
	if err := c.Adopt(b, &v); err != nil {
		return v, &EncodeError{What: what, Err: err}
	}
	return v, nil
}

const answerAboutDict = "answer about a dict"

// ask makes a request about a key.
func (d *Dict[K, V]) ask(op op, key K) ([]byte, error) {
	k, err := encode("key", key)
	if err != nil {
		return nil, err
	}
	return d.result(outgoing{op: op, reason: answerAboutDict}, k)
}

// pair encodes a key, with its length, and a value.
func pair[K, V any](key K, value V) ([]byte, error) {
	k, err := encode("key", key)
	if err != nil {
		return nil, err
	}
	return appendValue(codec.AppendBytes(make([]byte, 0, len(k)+32), k), "value", value)
}

// Get returns the value of key, or ErrNotFound.
func (d *Dict[K, V]) Get(key K) (V, error) {
	b, err := d.ask(dictGet, key)
	if err != nil {
		var zero V
		return zero, err
	}
	return decode[V]("value", b)
}

// Has reports whether key exists.
func (d *Dict[K, V]) Has(key K) (bool, error) {
	_, err := d.ask(dictGet, key)
	if err == ErrNotFound {
		return false, nil
	}
	return err == nil, err
}

// Set sets the value of key.
func (d *Dict[K, V]) Set(key K, value V) error {
	b, err := pair(key, value)
	if err == nil {
		_, err = d.result(outgoing{op: dictSet, reason: answerAboutDict}, b)
	}
	return err
}

// SetDefault returns the value of key. If key does not exist it sets it to value at first.
func (d *Dict[K, V]) SetDefault(key K, value V) (V, error) {
	b, err := pair(key, value)
	if err != nil {
		return value, err
	}
	r, err := d.call(outgoing{op: dictAdd, reason: answerAboutDict}, b)
	if err != nil || r.status != statusFull {
		return value, err
	}
	return decode[V]("value", r.body)
}

// Modify sets the value of key to what fn makes of it. exists is false, and old zero, if key
// does not exist. fn may be called more than once: if somebody else has changed the value
// meanwhile. When fn returns an error nothing is changed, and Modify returns it.
func (d *Dict[K, V]) Modify(key K, fn func(old V, exists bool) (V, error)) error {
	for {
		b, err := d.ask(dictSee, key)
		if err != nil {
			return err
		}
		version, ok := u64Of(b)
		if !ok {
			return ErrGone
		}
		var old V
		if version != 0 {
			if old, err = decode[V]("value", b[8:]); err != nil {
				return err
			}
		}
		value, err := fn(old, version != 0)
		if err != nil {
			return err
		}
		if b, err = pair(key, value); err != nil {
			return err
		}
		_, err = d.result(outgoing{op: dictSetIf, reason: answerAboutDict}, u64(version), b)
		if err != errChanged {
			return err
		}
	}
}

// Delete deletes key. It returns ErrNotFound if it does not exist.
func (d *Dict[K, V]) Delete(key K) error {
	_, err := d.ask(dictDelete, key)
	return err
}

// Pop deletes key and returns its value, or ErrNotFound.
func (d *Dict[K, V]) Pop(key K) (V, error) {
	b, err := d.ask(dictPop, key)
	if err != nil {
		var zero V
		return zero, err
	}
	return decode[V]("value", b)
}

// PopItem deletes the key that came last, and returns it with its value; ErrNotFound if there
// is none.
func (d *Dict[K, V]) PopItem() (key K, value V, err error) {
	b, err := d.result(outgoing{op: dictPopAny, reason: answerAboutDict})
	if err != nil {
		return key, value, err
	}
	k, v, ok := codec.Cut(b)
	if !ok {
		return key, value, ErrGone
	}
	if key, err = decode[K]("key", k); err == nil {
		value, err = decode[V]("value", v)
	}
	return key, value, err
}

// Update sets many values at once: nobody sees some of them only.
func (d *Dict[K, V]) Update(items iter.Seq2[K, V]) error {
	var all []byte
	for key, value := range items {
		k, err := encode("key", key)
		if err != nil {
			return err
		}
		v, err := encode("value", value)
		if err != nil {
			return err
		}
		all = codec.AppendBytes(codec.AppendBytes(all, k), v)
	}
	_, err := d.result(outgoing{op: dictUpdate, reason: answerAboutDict}, all)
	return err
}

// Len returns the number of keys.
func (d *Dict[K, V]) Len() (int, error) {
	b, err := d.result(outgoing{op: dictLen, reason: answerAboutDict})
	n, _ := u64Of(b)
	return int(n), err
}

// Clear deletes all keys.
func (d *Dict[K, V]) Clear() error {
	_, err := d.result(outgoing{op: dictClear, reason: answerAboutDict})
	return err
}

// Keys returns the keys in the order in which they came.
func (d *Dict[K, V]) Keys() ([]K, error) {
	b, err := d.result(outgoing{op: dictKeys, reason: answerAboutDict})
	var keys []K
	for err == nil && len(b) > 0 {
		one, rest, ok := codec.Cut(b)
		if !ok {
			return nil, ErrGone
		}
		var key K
		if key, err = decode[K]("key", one); err == nil {
			keys = append(keys, key)
		}
		b = rest
	}
	return keys, err
}

// Items returns all keys and values, as they are at one instant, in the order in which the
// keys came.
func (d *Dict[K, V]) Items() (iter.Seq2[K, V], error) {
	b, err := d.result(outgoing{op: dictItems, reason: answerAboutDict})
	if err != nil {
		return nil, err
	}
	var keys []K
	var values []V
	for len(b) > 0 {
		k, rest, ok := codec.Cut(b)
		var v []byte
		if ok {
			v, rest, ok = codec.Cut(rest)
		}
		if !ok {
			return nil, ErrGone
		}
		key, err := decode[K]("key", k)
		if err != nil {
			return nil, err
		}
		value, err := decode[V]("value", v)
		if err != nil {
			return nil, err
		}
		keys, values = append(keys, key), append(values, value)
		b = rest
	}
	return func(yield func(K, V) bool) {
		for i := range keys {
			if !yield(keys[i], values[i]) {
				return
			}
		}
	}, nil
}

// Close ends the object: whoever uses it later gets ErrGone.
func (d *Dict[K, V]) Close() error { return d.remove() }

// A Namespace is a set of named attributes, of any types, that processes share: see Attr and
// SetAttr. What is said of Dict holds for it.
type Namespace struct{ address }

// NewNamespace makes an empty Namespace in a place.
func NewNamespace(at Place) (*Namespace, error) {
	a, err := at.create(makeDict, nil)
	return &Namespace{a}, err
}

// Attr returns an attribute of ns. The error is ErrNotFound if there is none of that name, or
// an *EncodeError if it may not be of type T. (A type is not kept with the value.)
func Attr[T any](ns *Namespace, name string) (T, error) {
	return (&Dict[string, T]{ns.address}).Get(name)
}

// SetAttr sets an attribute of ns.
func SetAttr[T any](ns *Namespace, name string, value T) error {
	return (&Dict[string, T]{ns.address}).Set(name, value)
}

// ModifyAttr is Dict.Modify for an attribute of ns.
func ModifyAttr[T any](ns *Namespace, name string, fn func(old T, exists bool) (T, error)) error {
	return (&Dict[string, T]{ns.address}).Modify(name, fn)
}

// Delete deletes an attribute. It returns ErrNotFound if there is none of that name.
func (ns *Namespace) Delete(name string) error {
	return (&Dict[string, struct{}]{ns.address}).Delete(name)
}

// Names returns the names of the attributes in the order in which they came.
func (ns *Namespace) Names() ([]string, error) {
	return (&Dict[string, struct{}]{ns.address}).Keys()
}

// Close ends the object: whoever uses it later gets ErrGone.
func (ns *Namespace) Close() error { return ns.remove() }
