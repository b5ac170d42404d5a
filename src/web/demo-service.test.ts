import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import { demoSites } from '../../demo/demo-service.ts'
import { readConfig } from '../config.ts'
import { registerDemoServices } from './demo-service.ts'

// What it does in a demo is in test/service-links.test.ts.
describe('the demo’s services', () => {
  test('cannot be there outside demo', () => {
    const config = { ...readConfig({ DEMO: 'true' }), demo: false }
    const clock = () => new Date('2026-11-23T10:00:00Z')
    assert.throws(() => registerDemoServices(fastify(), { config, sites: demoSites, clock }), /demo only/)
  })
})
