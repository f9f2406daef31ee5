package local

// An Inheritable is a *Var of any type.
type Inheritable interface {
	// capture returns a function that sets the variable to its present value,
	// nil if it has none.
	capture() (restore func())
}

func (v *Var[T]) capture() (restore func()) {
	value, ok := v.Get()
	if !ok {
		return nil
	}
	return func() { v.Set(value) }
}

// Inherit returns fn as the function of a child: it starts with copies of the
// values that vars have in the calling task now. Those without one stay without.
// What is returned may be run by any number of tasks, of any workers.
func Inherit(fn func(), vars ...Inheritable) func() {
	restore := Capture(vars...)
	return func() {
		restore()
		fn()
	}
}

// Capture notes the values that vars have in the calling task, and returns a
// function that gives copies of them to the task that calls it. It is Inherit for
// functions of other kinds, such as those of runtime.Async.
func Capture(vars ...Inheritable) (restore func()) {
	var restores []func()
	for _, v := range vars {
		if r := v.capture(); r != nil {
			restores = append(restores, r)
		}
	}
	return func() {
		for _, r := range restores {
			r()
		}
	}
}
