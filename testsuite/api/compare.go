package api

import (
	"fmt"
	"go/token"
	"go/types"
	"regexp"
)

// A finding is what became of one exported name of the standard library's
// package: "DialTCP", "Dialer.Resolver", "TCPConn.Read".
type finding struct {
	name    string
	how     string // how ours has it
	problem string // "" for none
}

const missing = "missing"

const ourNet = "github.com/weft-go/weft/net"

// compare looks in our package for everything that std exports.
func compare(std, our *types.Package) []finding {
	c := comparison{std, our}
	var all []finding
	for _, name := range std.Scope().Names() {
		if obj := std.Scope().Lookup(name); obj.Exported() {
			all = append(all, c.object(obj, our.Scope().Lookup(name))...)
		}
	}
	return all
}

type comparison struct{ std, our *types.Package }

func (c comparison) object(want, got types.Object) []finding {
	name := want.Name()
	if got == nil {
		return []finding{{name: name, problem: missing}}
	}
	if w, g := fmt.Sprintf("%T", want), fmt.Sprintf("%T", got); w != g {
		return []finding{{name: name, problem: fmt.Sprintf("is a %s, not a %s", g, w)}}
	}
	switch want := want.(type) {
	case *types.TypeName:
		if types.Identical(want.Type(), got.Type()) {
			return []finding{{name: name, how: "the same type"}}
		}
		return append([]finding{{name: name, how: "a type of our own"}}, c.members(name, want.Type(), got.Type())...)
	case *types.Const:
		if w, g := want.Val().ExactString(), got.(*types.Const).Val().ExactString(); w != g {
			return []finding{{name: name, problem: fmt.Sprintf("is %s, not %s", g, w)}}
		}
	}
	return []finding{c.typed(name, "has it", want.Type(), got.Type())}
}

// members compares the fields and methods of two types.
func (c comparison) members(name string, want, got types.Type) []finding {
	var all []finding
	switch w := want.Underlying().(type) {
	case *types.Struct:
		g, ok := got.Underlying().(*types.Struct)
		if !ok {
			return []finding{{name: name, problem: "is no struct"}}
		}
		fields := make(map[string]types.Type)
		for f := range g.Fields() {
			fields[f.Name()] = f.Type()
		}
		for f := range w.Fields() {
			if f.Exported() {
				all = append(all, c.member(name+"."+f.Name(), "field", f.Type(), fields[f.Name()]))
			}
		}
	default:
		all = append(all, c.typed(name+" itself", "same underlying type", w, got.Underlying()))
	}
	for _, m := range []struct {
		how       string
		want, got types.Type
	}{
		{"method of the value", want, got},
		{"method", types.NewPointer(want), types.NewPointer(got)},
	} {
		have := make(map[string]types.Type)
		for s := range types.NewMethodSet(m.got).Methods() {
			have[s.Obj().Name()] = s.Type()
		}
		for s := range types.NewMethodSet(m.want).Methods() {
			if s.Obj().Exported() {
				all = append(all, c.member(name+"."+s.Obj().Name(), m.how, s.Type(), have[s.Obj().Name()]))
			}
		}
	}
	return all
}

func (c comparison) member(name, how string, want, got types.Type) finding {
	if got == nil {
		return finding{name: name, problem: missing}
	}
	return c.typed(name, how, want, got)
}

// typed compares the types of two variables, functions, fields or methods.
func (c comparison) typed(name, how string, want, got types.Type) finding {
	w := stdName.ReplaceAllString(c.text(want), "its.$1")
	g := stdName.ReplaceAllStringFunc(ourName.ReplaceAllString(c.text(got), "its.$1"), c.shared)
	if w != g {
		return finding{name: name, problem: fmt.Sprintf("is %s, not %s", g, w)}
	}
	return finding{name: name, how: how}
}

var (
	stdName = regexp.MustCompile(`\bstd\.(\w+)`)
	ourName = regexp.MustCompile(`\bour\.(\w+)`)
)

// shared writes a program's name for a type of the standard library's that our
// package mentions, if a program gets it from ours under that name. If ours is
// another type it does not, and the two differ.
func (c comparison) shared(name string) string {
	name = name[len("std."):]
	if !token.IsExported(name) {
		return "its." + name // no program has a name for it
	}
	std, our := c.std.Scope().Lookup(name), c.our.Scope().Lookup(name)
	if std == nil || our == nil || !types.Identical(std.Type(), our.Type()) {
		return "std." + name
	}
	return "its." + name
}

// text writes t, without the names of a function's parameters.
func (c comparison) text(t types.Type) string {
	sig, ok := t.(*types.Signature)
	if !ok {
		return types.TypeString(t, c.qualifier)
	}
	text := "func("
	for i := range sig.Params().Len() {
		text += c.text(sig.Params().At(i).Type()) + ","
	}
	text += ")("
	for i := range sig.Results().Len() {
		text += c.text(sig.Results().At(i).Type()) + ","
	}
	if sig.Variadic() {
		text += "..."
	}
	return text + ")"
}

// qualifier names ours and the standard library's package.
func (c comparison) qualifier(p *types.Package) string {
	switch p.Path() {
	case c.std.Path():
		return "std"
	case c.our.Path():
		return "our"
	case ourNet:
		return "net" // which a program imports in its place
	}
	return p.Path()
}
