package local_test

import (
	"fmt"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/local"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func ExampleVar() {
	var user local.Var[string]
	greet := func() {
		name, ok := user.Get()
		fmt.Printf("%q %v\n", name, ok)
	}
	runtimetest.Example(func() {
		for _, name := range []string{"Ada", "Grace"} {
			runtime.Spawn(func() {
				user.Set(name)
				runtime.Yield() // the other one runs
				greet()
			})
		}
		runtime.Yield()
		runtime.Yield()
		greet()
	})
	// Output:
	// "Ada" true
	// "Grace" true
	// "" false
}

func ExampleInherit() {
	var user local.Var[string]
	greet := func() {
		name, ok := user.Get()
		fmt.Printf("%q %v\n", name, ok)
	}
	runtimetest.Example(func() {
		user.Set("Ada")
		_ = runtime.Spawn(greet).Join()
		_ = runtime.Spawn(local.Inherit(greet, &user)).Join()
	})
	// Output:
	// "" false
	// "Ada" true
}

func ExampleCapture() {
	var user local.Var[string]
	runtimetest.Example(func() {
		user.Set("Ada")
		restore := local.Capture(&user)
		task := runtime.Async(func() (string, error) {
			restore()
			name, _ := user.Get()
			return name, nil
		})
		fmt.Println(task.Get())
	})
	// Output: Ada <nil>
}

var session = local.Named[string]("session")

func ExampleNamed() {
	runtimetest.Example(func() {
		session.Set("alice")
		for name, value := range local.Values(runtime.Current()) {
			fmt.Println(name, "=", value)
		}
	})
	// Output: session = alice
}
