import { messageOf } from '@/api/errors'
import { useShop } from '@/stores/shop'
import { accentText } from '@/utils/color'

const accent = () => accentText(useShop().config?.accentColor)

/** Small words to the person. */
export function toast(title: string): void {
  uni.showToast({ title, icon: 'none', duration: 2200 })
}

/** Errors are too long for a toast: they get a dialog with one button. */
export function explain(error: unknown, title = '没有成功'): void {
  uni.showModal({ title, content: messageOf(error), showCancel: false, confirmText: '知道了', confirmColor: accent() })
}

export function confirm(options: { title: string; content: string; ok: string; cancel?: string; danger?: boolean }): Promise<boolean> {
  return new Promise((resolve) => {
    uni.showModal({
      title: options.title,
      content: options.content,
      confirmText: options.ok,
      cancelText: options.cancel ?? '再想想',
      confirmColor: options.danger ? '#c02f1d' : accent(),
      success: (result) => resolve(result.confirm),
      fail: () => resolve(false),
    })
  })
}

export const go = (url: string) => void uni.navigateTo({ url })
export const replace = (url: string) => void uni.redirectTo({ url })

/** Back to the page before, or to `fallback` when this page was opened directly. */
export function back(fallback: string, tab = true): void {
  if (getCurrentPages().length > 1) uni.navigateBack({})
  else if (tab) uni.switchTab({ url: fallback })
  else uni.redirectTo({ url: fallback })
}
