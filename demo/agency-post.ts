import { type Dates, type DemoMessage, english, type Row, table, welsh } from './message.ts'

export const forecastRows: readonly Row[] = [
  ['Based on your record so far', '£212.40 a week'],
  ['If you pay in until you claim', '£238.10 a week'],
]

export const forecastRowsInWelsh: readonly Row[] = [
  ['Yn seiliedig ar eich cofnod hyd yn hyn', '£198.45 yr wythnos'],
  ['Os byddwch yn parhau i gyfrannu', '£238.10 yr wythnos'],
]

export const carerRows: readonly Row[] = [
  ['Weekly support', '£83.30'],
  ['How often we pay', 'Every 4 weeks'],
  ['Each payment', '£333.20'],
]

export const carerRowsInWelsh: readonly Row[] = [
  ['Cymorth wythnosol', '£83.30'],
  ['Pa mor aml y byddwn yn talu', 'Bob 4 wythnos'],
  ['Pob taliad', '£333.20'],
]

/** What the Agency for Pensions and Support has written. */
export function agencyPost(dates: Dates): DemoMessage[] {
  return [carerApplication(), forecast(), forecastInWelsh(), carerDecision(dates)]
}

function carerApplication(): DemoMessage {
  return {
    reference: 'demo-cs-received',
    service: 'carers-support',
    to: 'CS-8001',
    sent: [50, '07:45'],
    opened: [48, '21:05'],
    content: [
      english(
        'We have your application for carer’s support',
        `We have received your application. You do not need to do anything now.

## What happens next

1. We check your application.
2. We may ask you for more details.
3. We write to you here with our decision, within 12 weeks.

Call 03069 990 456 if something changes before then. Lines are open Monday to Friday, 8am to 6pm.`,
      ),
    ],
  }
}

function forecast(): DemoMessage {
  return {
    reference: 'demo-sp-forecast',
    service: 'state-pension',
    to: 'SP-7002',
    sent: [6, '08:20'],
    content: [
      english(
        'Your State Pension forecast',
        `You asked us for a forecast. You can get your State Pension from **8 September 2031**.

## How much you could get

${table(['What', 'Amount'], forecastRows)}

A forecast is not a promise: the amounts can change with the law and with your record.

## What you need to do

Nothing now. We will write to you 4 months before you can claim.`,
      ),
    ],
    documents: [
      { role: 'main', title: 'State Pension forecast', files: [{ filename: 'state-pension-forecast.pdf', language: 'en' }] },
    ],
  }
}

function forecastInWelsh(): DemoMessage {
  return {
    reference: 'demo-sp-forecast-cy',
    service: 'state-pension',
    to: 'SP-7003',
    sent: [12, '09:00'],
    content: [
      welsh(
        'Eich rhagolwg Pensiwn y Wladwriaeth',
        `Gwnaethoch ofyn i ni am ragolwg. Gallwch gael eich Pensiwn y Wladwriaeth o **11 Chwefror 2033** ymlaen.

## Faint y gallech ei gael

${table(['Beth', 'Swm'], forecastRowsInWelsh)}

Nid yw rhagolwg yn addewid: gall y symiau newid gyda’r gyfraith a gyda’ch cofnod.

## Beth mae angen i chi ei wneud

Dim byd nawr. Byddwn yn ysgrifennu atoch 4 mis cyn y gallwch wneud cais.`,
      ),
    ],
    documents: [
      {
        role: 'main',
        title: 'Rhagolwg Pensiwn y Wladwriaeth',
        files: [{ filename: 'rhagolwg-pensiwn-y-wladwriaeth.pdf', language: 'cy' }],
      },
    ],
  }
}

function carerDecision({ dayAt, on }: Dates): DemoMessage {
  return {
    reference: 'demo-cs-decision',
    service: 'carers-support',
    to: 'CS-8003',
    sent: [5, '10:10'],
    replyBy: dayAt(25),
    content: [
      english('You can get carer’s support', carerBody(on)),
      welsh('Gallwch gael cymorth i ofalwyr', carerBodyInWelsh(on)),
    ],
    documents: [
      {
        role: 'main',
        title: 'Decision on carer’s support',
        files: [
          { filename: 'carers-support-decision.pdf', language: 'en' },
          { filename: 'penderfyniad-cymorth-i-ofalwyr.pdf', language: 'cy' },
        ],
      },
    ],
  }
}

const carerBody = (on: Dates['on']) => `We have decided that you can get carer’s support from ${on(-12)}.

## What you will get

${table(['What', 'Amount'], carerRows)}

We will make the first payment on ${on(9)}.

## Tell us if something changes

You must tell us if:

- you no longer care for somebody for at least 35 hours a week
- you earn more than £150 a week
- the person you care for goes into hospital or moves to a care home

## If you do not agree

You can ask us to look at the decision again. Answer this letter by ${on(25)}, or call 03069 990 456.`

const carerBodyInWelsh = (on: Dates['on']) => `Rydym wedi penderfynu y gallwch gael cymorth i ofalwyr o ${on(-12, 'cy')} ymlaen.

## Yr hyn y byddwch yn ei gael

${table(['Beth', 'Swm'], carerRowsInWelsh)}

Byddwn yn gwneud y taliad cyntaf ar ${on(9, 'cy')}.

## Rhowch wybod i ni os bydd rhywbeth yn newid

Mae’n rhaid i chi roi gwybod i ni os:

- nad ydych bellach yn gofalu am rywun am o leiaf 35 awr yr wythnos
- byddwch yn ennill mwy na £150 yr wythnos
- bydd y person rydych yn gofalu amdano yn mynd i’r ysbyty neu’n symud i gartref gofal

## Os nad ydych yn cytuno

Gallwch ofyn i ni edrych ar y penderfyniad eto. Atebwch y llythyr hwn erbyn ${on(25, 'cy')}, neu ffoniwch 03069 990 456.`
