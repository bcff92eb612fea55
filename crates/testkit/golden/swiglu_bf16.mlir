module @swiglu_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xbf16>, %arg1: tensor<6x19xbf16>, %arg2: tensor<6x19xbf16>) -> (tensor<6x19xbf16>, tensor<6x19xbf16>, tensor<6x19xbf16>) {
    %0 = stablehlo.convert %arg0 : (tensor<6x19xbf16>) -> tensor<6x19xf32>
    %1 = stablehlo.convert %arg1 : (tensor<6x19xbf16>) -> tensor<6x19xf32>
    %2 = stablehlo.logistic %0 : tensor<6x19xf32>
    %3 = stablehlo.multiply %0, %2 : tensor<6x19xf32>
    %4 = stablehlo.multiply %3, %1 : tensor<6x19xf32>
    %5 = stablehlo.convert %4 : (tensor<6x19xf32>) -> tensor<6x19xbf16>
    %6 = stablehlo.convert %arg2 : (tensor<6x19xbf16>) -> tensor<6x19xf32>
    %7 = stablehlo.multiply %6, %1 : tensor<6x19xf32>
    %8 = stablehlo.multiply %7, %2 : tensor<6x19xf32>
    %9 = stablehlo.negate %2 : tensor<6x19xf32>
    %10 = stablehlo.constant dense<1.0> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<6x19xf32>
    %12 = stablehlo.add %9, %11 : tensor<6x19xf32>
    %13 = stablehlo.multiply %0, %12 : tensor<6x19xf32>
    %14 = stablehlo.add %13, %11 : tensor<6x19xf32>
    %15 = stablehlo.multiply %8, %14 : tensor<6x19xf32>
    %16 = stablehlo.multiply %6, %0 : tensor<6x19xf32>
    %17 = stablehlo.multiply %16, %2 : tensor<6x19xf32>
    %18 = stablehlo.convert %15 : (tensor<6x19xf32>) -> tensor<6x19xbf16>
    %19 = stablehlo.convert %17 : (tensor<6x19xf32>) -> tensor<6x19xbf16>
    return %5, %18, %19 : tensor<6x19xbf16>, tensor<6x19xbf16>, tensor<6x19xbf16>
  }
}
