// Everything that api/ asks the server for, held against the document that the server publishes.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'

const FOLDER = path.resolve('miniprogram/api')
const DOCUMENT = process.env.KEPU_OPENAPI
const PREFIX = '/api/v1'

interface Schema {
  $ref?: string
  type?: string
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  enum?: unknown[]
  additionalProperties?: Schema | boolean
}
interface Media {
  content?: Record<string, { schema: Schema }>
}
interface Operation {
  parameters?: { name: string; in: string }[]
  requestBody?: Media
  responses: Record<string, Media>
}
interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

assert.ok(DOCUMENT, 'KEPU_OPENAPI names the file with the server’s OpenAPI document')
const api = JSON.parse(fs.readFileSync(DOCUMENT, 'utf8')) as OpenApi

const files = fs.readdirSync(FOLDER).filter((name) => name.endsWith('.ts'))
const program = ts.createProgram(files.map((name) => path.join(FOLDER, name)), {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2020,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
})
const checker = program.getTypeChecker()

interface Call {
  where: string
  method: string
  path: string
  out: ts.Type | null
  query: string[]
  body: ts.Type | null
}

const shape = (text: string): string => text.replace(/\{[^}]*\}/g, '{}')

function calls(file: string): Call[] {
  const source = program.getSourceFile(path.join(FOLDER, file))
  assert.ok(source)
  const found: Call[] = []
  const walk = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const name = node.expression.getText(source)
      if (name === 'client.call') found.push(called(node, file))
      if (name === 'client.upload') found.push(uploaded(node, file))
    }
    ts.forEachChild(node, walk)
  }
  walk(source)
  return found
}

function textOf(node: ts.Expression | undefined): string {
  assert.ok(node)
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text
  assert.ok(ts.isTemplateExpression(node), `a path is written out: ${node.getText()}`)
  return node.head.text + node.templateSpans.map((span) => `{}${span.literal.text}`).join('')
}

function called(node: ts.CallExpression, file: string): Call {
  const [method, where, options] = node.arguments
  const out = node.typeArguments?.[0]
  assert.ok(out, `${file}: the answer's type is named`)
  const type = checker.getTypeFromTypeNode(out)
  const named = options && ts.isObjectLiteralExpression(options) ? options : null
  const option = (name: string): ts.Type | null => {
    const symbol = named && checker.getTypeAtLocation(named).getProperty(name)
    return symbol ? checker.getTypeOfSymbolAtLocation(symbol, named) : null
  }
  const query = option('query')
  return {
    where: `${file}: ${textOf(method)} ${textOf(where)}`,
    method: textOf(method).toLowerCase(),
    path: textOf(where),
    out: type.flags & ts.TypeFlags.Void ? null : type,
    query: query ? query.getProperties().map((property) => property.name) : [],
    body: option('body'),
  }
}

function uploaded(node: ts.CallExpression, file: string): Call {
  const where = textOf(node.arguments[0])
  return { where: `${file}: POST ${where}`, method: 'post', path: where, out: null, query: [], body: null }
}

function operation(call: Call): Operation | undefined {
  const key = Object.keys(api.paths).find((each) => shape(each) === PREFIX + call.path)
  return key ? api.paths[key]?.[call.method] : undefined
}

const resolved = (schema: Schema): Schema =>
  schema.$ref ? resolved(api.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}) : schema

/** The forms that a value may have, null left out. */
function forms(schema: Schema): Schema[] {
  const whole = resolved(schema)
  return whole.anyOf ? whole.anyOf.flatMap(forms) : whole.type === 'null' ? [] : [whole]
}

const body = (media: Media | undefined): Schema | null => media?.content?.['application/json']?.schema ?? null

const isPlain = (type: ts.Type): boolean =>
  Boolean(type.flags & (ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike | ts.TypeFlags.BooleanLike | ts.TypeFlags.Unknown))

/** What of `type` the document does not know, as `path: complaint`. */
function unknownParts(type: ts.Type, schema: Schema, at: string): string[] {
  const bare = checker.getNonNullableType(type)
  if (isPlain(bare) || bare.isUnion()) return []
  const element = checker.getIndexTypeOfType(bare, ts.IndexKind.Number)
  if (element) {
    const items = forms(schema).flatMap((form) => (form.items ? [form.items] : []))
    if (items.length === 0) return [`${at}: no list in the document`]
    return unknownParts(element, { anyOf: items }, `${at}[]`)
  }
  if (checker.getIndexTypeOfType(bare, ts.IndexKind.String)) {
    return forms(schema).some((form) => form.type === 'object') ? [] : [`${at}: no object in the document`]
  }
  return bare.getProperties().flatMap((property) => {
    const known = forms(schema).flatMap((form) => form.properties?.[property.name] ?? [])
    const here = `${at}.${property.name}`
    const declaration = property.valueDeclaration ?? property.declarations?.[0]
    if (known.length === 0 || !declaration) return [`${here}: not in the document`]
    return unknownParts(checker.getTypeOfSymbolAtLocation(property, declaration), { anyOf: known }, here)
  })
}

const every = files.flatMap(calls)

test('there are calls to hold against the document', () => {
  assert.ok(every.length > 25, `only ${every.length}`)
})

for (const call of every) {
  test(`${call.where} is what the server offers`, () => {
    const offered = operation(call)
    assert.ok(offered, 'no such endpoint')
    const parameters = (offered.parameters ?? []).filter((one) => one.in === 'query').map((one) => one.name)
    assert.deepEqual(call.query.filter((name) => !parameters.includes(name)), [], 'unknown query')
    if (call.out) {
      const good = Object.entries(offered.responses).filter(([status]) => status.startsWith('2'))
      const schemas = good.flatMap(([, media]) => body(media) ?? [])
      assert.ok(schemas.length > 0, 'the server answers nothing')
      assert.deepEqual(unknownParts(call.out, { anyOf: schemas }, 'answer'), [])
    }
    if (call.body) {
      const taken = body(offered.requestBody)
      assert.ok(taken, 'the server takes no body')
      assert.deepEqual(unknownParts(call.body, taken, 'body'), [])
      const sent = new Set(call.body.getProperties().map((property) => property.name))
      const missing = forms(taken).flatMap((form) => form.required ?? []).filter((name) => !sent.has(name))
      assert.deepEqual(missing, [], 'the server needs more')
    }
  })
}

test('a field that the server does not know would be found', () => {
  const call = every.find(({ path: where }) => where === '/campaign')
  assert.ok(call?.out)
  const left = unknownParts(call.out, { type: 'object', properties: {} }, 'answer')
  assert.ok(left.includes('answer.theme: not in the document'))
})
