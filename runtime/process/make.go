package process

import "github.com/weft-go/weft/runtime/process/internal/codec"

// A Place is where an object lives: Here, or a *Manager's process.
type Place interface {
	create(kind byte, params []byte) (address, error)
}

// Here is the calling process as a place for objects. They serve it without a detour, and
// end with it, or when they are closed.
var Here Place = herePlace{}

type herePlace struct{}

func (herePlace) create(kind byte, params []byte) (address, error) {
	return address{process: self.id, object: objects.add(makeObject(kind, params))}, nil
}

// The kinds of objects.
const (
	makeSemaphore = iota + 1
	makeCond
	makeEvent
	makeBarrier
	makeQueue
	makeDict
	makeList
)

// makeObject makes an object of this process. It returns nil for parameters that make no
// sense.
func makeObject(kind byte, params []byte) object {
	numbers := make([]int, 3)
	if ints.DecodeAll(params, numbers[:min(len(params)/8, 3)]) != nil {
		return nil
	}
	switch kind {
	case makeSemaphore:
		return &semaphore{units: numbers[0], bound: numbers[1]}
	case makeCond:
		if s, ok := objects.get(uint64(numbers[0])).(*semaphore); ok {
			return &cond{lock: s}
		}
	case makeEvent:
		return &eventObject{}
	case makeBarrier:
		return &barrier{parties: numbers[0]}
	case makeQueue:
		return newQueueObject(numbers[0])
	case makeDict:
		return &dict{}
	case makeList:
		return &list{fixed: numbers[0] != 0}
	}
	return nil
}

var ints = codec.For[int]()

// numbers encodes parameters.
func numbers(n ...int) []byte {
	b, _ := ints.AppendAll(nil, n) // a number can be encoded
	return b
}
