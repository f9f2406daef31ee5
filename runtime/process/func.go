package process

import (
	"fmt"
	"iter"
	"runtime/debug"
	"sync"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process/internal/codec"
)

// A Func is a function that other processes can run: see Register.
type Func[A, R any] struct {
	name    string
	fn      func(A) (R, error)
	args    codec.Codec[A]
	results codec.Codec[R]
}

// Register makes fn known under a name by which another process of the same program
// finds it. Call it for a package-level variable, so that it happens in every process,
// before main:
//
//	var count = process.Register("count", func(file string) (int, error) { … })
//
// The argument and the result are encoded as the package's doc says; for more
// than one argument use a struct. The function runs in a task of the other
// process. Register panics if the name is taken.
func Register[A, R any](name string, fn func(A) (R, error)) *Func[A, R] {
	f := &Func[A, R]{name: name, fn: fn, args: codec.For[A](), results: codec.For[R]()}
	if _, taken := functions.LoadOrStore(name, f); taken {
		panic(fmt.Sprintf("process: Register of %q: the name is taken", name))
	}
	return f
}

// An Args2 is the argument of a function of two: see Register2.
type Args2[A, B any] struct {
	First  A
	Second B
}

// Register2 is Register for a function of two arguments, for StarMap.
func Register2[A, B, R any](name string, fn func(A, B) (R, error)) *Func[Args2[A, B], R] {
	return Register(name, func(a Args2[A, B]) (R, error) { return fn(a.First, a.Second) })
}

// Name returns the name under which the function is registered.
func (f *Func[A, R]) Name() string { return f.name }

// functions are all Funcs, by name.
var functions sync.Map

// A function is a Func whose types do not matter.
type function interface {
	// call decodes the argument, calls the function, and encodes the result.
	call(arg []byte, bag *codec.Baggage) ([]byte, error)
	// callOne is call with an argument that AppendAll has encoded, and so for the result.
	callOne(arg []byte) ([]byte, error)
	// jobs are calls with each of n arguments, which AppendAll has encoded.
	jobs(args []byte, n int) jobs
}

func functionOf(name string) (function, error) {
	if f, ok := functions.Load(name); ok {
		return f.(function), nil
	}
	return nil, fmt.Errorf("process: no function %q is registered here", name)
}

func (f *Func[A, R]) what(part string) string { return part + " of " + f.name }

// run calls the function. A panic is its error.
func (f *Func[A, R]) run(arg A) (result R, err error) {
	panicked := true
	defer func() {
		if panicked {
			err = panicError(recover())
		}
	}()
	result, err = f.fn(arg)
	panicked = false
	return result, err
}

func (f *Func[A, R]) encodeArg(arg A) ([]byte, *codec.Baggage, error) {
	bag := new(codec.Baggage)
	var b []byte
	encode := func() (err error) {
		b, err = f.args.Append(nil, arg)
		return err
	}
	var err error
	if f.args.Carries {
		err = codec.With(bag, encode)
	} else {
		err = encode()
	}
	if err != nil {
		closeAll(bag.Descriptors)
		return nil, nil, &EncodeError{What: f.what("argument"), Err: err}
	}
	return b, bag, nil
}

func (f *Func[A, R]) decodeResult(b []byte) (R, error) {
	var result R
	if err := f.results.Adopt(b, &result); err != nil {
		return result, &EncodeError{What: f.what("result"), Err: err}
	}
	return result, nil
}

func (f *Func[A, R]) call(b []byte, bag *codec.Baggage) ([]byte, error) {
	var arg A
	decode := func() error { return f.args.Adopt(b, &arg) }
	var err error
	if f.args.Carries {
		err = codec.With(bag, decode)
	} else {
		err = decode()
	}
	closeAll(bag.Rest())
	if err != nil {
		return nil, &EncodeError{What: f.what("argument"), Err: err}
	}
	result, err := f.run(arg)
	if err != nil {
		return nil, err
	}
	out, err := f.results.Append(nil, result)
	if err != nil {
		return nil, &EncodeError{What: f.what("result"), Err: err}
	}
	return out, nil
}

// panicError is the error of a function that did not return: the value is nil if it
// called Goexit. A kill of the task is an error here, too: its next wait goes on with it.
func panicError(value any) error {
	if value == nil {
		return runtime.ErrGoexit
	}
	return &runtime.PanicError{Value: value, Stack: debug.Stack()}
}

// pairs turns a sequence of two values into one of Args2.
func pairs[A, B any](in iter.Seq2[A, B]) iter.Seq[Args2[A, B]] {
	return func(yield func(Args2[A, B]) bool) {
		for a, b := range in {
			if !yield(Args2[A, B]{a, b}) {
				return
			}
		}
	}
}
