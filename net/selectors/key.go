package selectors

// Event says for what a descriptor is registered, or what it is ready for.
type Event uint8

const (
	Read  Event = 1 << iota // data, a connection to accept, end of file
	Write                   // room to write, a connect that has finished
)

func (e Event) ok() bool { return e != 0 && e&^(Read|Write) == 0 }

// String returns "read", "write" or "read|write".
func (e Event) String() string {
	switch e {
	case Read:
		return "read"
	case Write:
		return "write"
	case Read | Write:
		return "read|write"
	}
	return "none"
}

// A Key is a registration. It is not changed: Modify makes a new one.
type Key[T any] struct {
	File   any   // as it was given to Register
	FD     int   // its number
	Events Event // what it is registered for
	Data   T     // the caller's
}

// Ready is a registration that Select found ready, and for which of its events.
type Ready[T any] struct {
	Key    *Key[T]
	Events Event
}
