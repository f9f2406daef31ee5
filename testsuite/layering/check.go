package layering

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// A pkg is one folder of the module with all its Go files, those of its external test package too.
type pkg struct {
	folder string // relative to the module, "." for its root
	files  []file
}

// A file is what the rules need to know of a source file.
type file struct {
	name    string
	imports []imp
}

// isTest reports whether the file is compiled only for tests.
func (f file) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

// An imp is one import declaration. An empty alias means it has none.
type imp struct {
	path  string
	alias string
	line  int
}

// check returns one line for each broken rule, in the order of the packages.
func check(pkgs []pkg) []string {
	var problems []string
	for _, p := range pkgs {
		problems = append(problems, checkDirection(p)...)
		problems = append(problems, checkExclusive(p)...)
		problems = append(problems, checkShadows(p)...)
	}
	return problems
}

// checkDirection applies the layers table.
func checkDirection(p pkg) []string {
	own, ok := layerOf(p.folder)
	if !ok {
		return []string{fmt.Sprintf("%s: no layer covers this folder; add a row to rules.go", p.folder)}
	}
	var problems []string
	for _, f := range p.files {
		for _, i := range f.imports {
			target, ours := ourFolder(i.path)
			if !ours {
				continue
			}
			l, ok := layerOf(target)
			if ok && own.mayImport(l.folder, f.isTest()) {
				continue
			}
			problems = append(problems, fmt.Sprintf("%s: %s may not import %s", at(p, f, i), own.folder, target))
		}
	}
	return problems
}

// checkExclusive applies the exclusive table.
func checkExclusive(p pkg) []string {
	var problems []string
	for _, f := range p.files {
		for _, i := range f.imports {
			for _, e := range exclusive {
				if within(i.path, e.path) && !within(p.folder, e.folder) && p.folder != e.peers {
					problems = append(problems, fmt.Sprintf("%s: only %s may import %s", at(p, f, i), e.folder, e.path))
				}
			}
		}
	}
	return problems
}

// checkShadows applies the shadows table.
func checkShadows(p pkg) []string {
	if !mixes(p) {
		return nil
	}
	var problems []string
	for _, f := range p.files {
		for _, i := range f.imports {
			for _, s := range shadows {
				if i.path == s.std && i.alias != s.alias {
					problems = append(problems, fmt.Sprintf("%s: import standard %q as %s", at(p, f, i), s.std, s.alias))
				}
			}
		}
	}
	return problems
}

// mixes reports whether "runtime" and "net" could mean either ours or the standard ones in p.
func mixes(p pkg) bool {
	for _, folder := range shadowed {
		if within(p.folder, folder) {
			return true
		}
	}
	for _, f := range p.files {
		for _, i := range f.imports {
			for _, folder := range shadowed {
				if i.path == path.Join(module, folder) {
					return true
				}
			}
		}
	}
	return false
}

// mayImport reports whether a file of layer l may import a package of the layer named target.
func (l layer) mayImport(target string, inTest bool) bool {
	if target == l.folder || slices.Contains(l.imports, target) {
		return true
	}
	return inTest && slices.Contains(l.tests, target)
}

// layerOf returns the row with the longest name that covers folder. The root's row covers the root
// alone, or it would take in every folder that nobody placed.
func layerOf(folder string) (layer, bool) {
	var best layer
	found := false
	for _, l := range layers {
		if l.folder == "." {
			if folder == "." {
				return l, true
			}
			continue
		}
		if within(folder, l.folder) && (!found || len(l.folder) > len(best.folder)) {
			best, found = l, true
		}
	}
	return best, found
}

// ourFolder turns an import path of this module into a folder relative to it.
func ourFolder(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// within reports whether the slash-separated name is top or lies below it.
func within(name, top string) bool {
	return name == top || strings.HasPrefix(name, top+"/")
}

// at is where an import stands, in the form editors jump to.
func at(p pkg, f file, i imp) string {
	return fmt.Sprintf("%s:%d", path.Join(p.folder, f.name), i.line)
}
