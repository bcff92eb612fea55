module @scaled_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<2x3xbf16>, %arg2: tensor<2x3xbf16>) -> (tensor<2x3xbf16>, tensor<2x3xbf16>, tensor<2x3xbf16>) {
    %0 = stablehlo.constant dense<3.0> : tensor<bf16>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<bf16>) -> tensor<2x3xbf16>
    %2 = stablehlo.multiply %arg0, %1 : tensor<2x3xbf16>
    %3 = stablehlo.constant dense<1.0> : tensor<bf16>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<bf16>) -> tensor<2x3xbf16>
    %5 = stablehlo.subtract %2, %4 : tensor<2x3xbf16>
    %6 = stablehlo.constant dense<0.5> : tensor<bf16>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<bf16>) -> tensor<2x3xbf16>
    %8 = stablehlo.divide %5, %7 : tensor<2x3xbf16>
    %9 = stablehlo.add %8, %arg1 : tensor<2x3xbf16>
    %10 = stablehlo.divide %arg2, %7 : tensor<2x3xbf16>
    %11 = stablehlo.multiply %10, %1 : tensor<2x3xbf16>
    return %9, %11, %arg2 : tensor<2x3xbf16>, tensor<2x3xbf16>, tensor<2x3xbf16>
  }
}
