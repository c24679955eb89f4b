import { ElMessage } from 'element-plus/es/components/message/index'
import 'element-plus/es/components/message/style/css'
import { asProblem, type Problem } from './problem'

export function say(message: string): void {
  ElMessage({ type: 'success', message, duration: 2600, grouping: true })
}

/** Shows why something failed and hands the problem back. */
export function sayProblem(error: unknown): Problem {
  const problem = asProblem(error)
  if (problem.code !== 'aborted') ElMessage({ type: 'error', message: problem.message, duration: 5000, grouping: true, showClose: true })
  return problem
}
