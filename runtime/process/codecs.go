package process

import (
	"reflect"
	"sync"

	"github.com/weft-go/weft/runtime/process/internal/codec"
)

// codecs are those of the types that were asked for, by type: to find out how a type is
// encoded takes longer than to encode it.
var codecs sync.Map

func codecOf[T any]() *codec.Codec[T] {
	t := reflect.TypeFor[T]()
	if c, ok := codecs.Load(t); ok {
		return c.(*codec.Codec[T])
	}
	made := codec.For[T]()
	c, _ := codecs.LoadOrStore(t, &made)
	return c.(*codec.Codec[T])
}
