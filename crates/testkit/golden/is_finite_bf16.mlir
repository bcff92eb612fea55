module @is_finite_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5xbf16>) -> (tensor<5xi1>) {
    %0 = stablehlo.is_finite %arg0 : (tensor<5xbf16>) -> tensor<5xi1>
    return %0 : tensor<5xi1>
  }
}
